/* SPDX-License-Identifier: MIT */
#include "vmm/ctl_call.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "vmm/api.h"

#define TIMEOUT_S 10

int complain_usage(const char *command, const char *what, const char *word)
{
	warnx("%s: %s%s%s; `twofold %s --help` shows how", command, what,
	      word ? " " : "", word ? word : "", command);
	return 2;
}

bool target_find(struct target *t, const char *command, const char *vm)
{
	*t = (struct target){ .command = command, .vm = vm };
	if (api_path(vm, t->path))
		return true;
	complain_usage(command, "too long for a socket's path:", vm);
	return false;
}

/* Why there was no answer, in a line that says where we looked. */
static void no_answer(const struct target *t, int error, struct complaint *why)
{
	if (error == -ENOENT || error == -ECONNREFUSED)
		complaint_set(why, "no VM %s: nothing listens at %s", t->vm,
			      t->path);
	else
		complaint_set(why, "VM %s at %s: %s", t->vm, t->path,
			      strerror(-error));
}

static void refused(const struct target *t, int status, const char *body,
		    struct complaint *why)
{
	json_t *fault = json_loads(body, 0, NULL);
	const char *message = NULL;

	if (json_unpack(fault, "{s:s}", "fault_message", &message))
		message = "no reason given";
	complaint_set(why, "VM %s refused (%d): %s", t->vm, status, message);
	json_decref(fault);
}

/* It went while it was asked; in the capsule who passed that on tells us. */
static bool is_gone(int status)
{
	return status == -ECONNRESET || status == HTTP_STATUS_BAD_GATEWAY;
}

static int outcome(const struct target *t, int status, const char *answer,
		   struct complaint *why)
{
	if (status < 0) {
		no_answer(t, status, why);
		return -1;
	}
	if (status == 200 || status == 204)
		return 0;
	refused(t, status, answer, why);
	return is_gone(status) ? -1 : 1;
}

static int complain(const struct target *t, int outcome,
		    const struct complaint *why)
{
	if (outcome)
		warnx("%s: %s", t->command, why->text);
	return outcome != 0;
}

int call_last(const struct target *t, const char *method, const char *target,
	      const char *json)
{
	char *answer = NULL;
	int status =
		api_call(t->path, method, target, json, TIMEOUT_S, &answer);
	struct complaint why;
	int failed = is_gone(status) ? 0 : outcome(t, status, answer, &why);

	free(answer);
	return complain(t, failed, &why);
}

int call_quietly(const struct target *t, const char *method, const char *target,
		 const char *json, char **body, struct complaint *why)
{
	char *answer = NULL;
	int status =
		api_call(t->path, method, target, json, TIMEOUT_S, &answer);
	int failed = outcome(t, status, answer, why);

	if (!failed && body)
		*body = answer;
	else
		free(answer);
	return failed;
}

int call(const struct target *t, const char *method, const char *target,
	 const char *json, char **body)
{
	struct complaint why;

	return complain(t, call_quietly(t, method, target, json, body, &why),
			&why);
}

int show(const struct target *t, const char *path, bool raw,
	 int (*print)(const char *text))
{
	char *text;
	int r;

	if (call(t, "GET", path, NULL, &text))
		return 1;
	r = raw ? puts(text) < 0 : print(text);
	free(text);
	if (r < 0)
		warnx("%s: VM %s: not an answer this program knows", t->command,
		      t->vm);
	return r != 0;
}
