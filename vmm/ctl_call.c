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
static int complain_no_answer(const struct target *t, int error)
{
	if (error == -ENOENT || error == -ECONNREFUSED)
		warnx("%s: no VM %s: nothing listens at %s", t->command, t->vm,
		      t->path);
	else
		warnx("%s: VM %s at %s: %s", t->command, t->vm, t->path,
		      strerror(-error));
	return 1;
}

static int complain_fault(const struct target *t, int status, const char *body)
{
	json_t *fault = json_loads(body, 0, NULL);
	const char *why = NULL;

	if (json_unpack(fault, "{s:s}", "fault_message", &why))
		why = "no reason given";
	warnx("%s: VM %s refused (%d): %s", t->command, t->vm, status, why);
	json_decref(fault);
	return 1;
}

static int outcome(const struct target *t, int status, const char *answer)
{
	if (status < 0)
		return complain_no_answer(t, status);
	if (status != 200 && status != 204)
		return complain_fault(t, status, answer);
	return 0;
}

int call_last(const struct target *t, const char *method, const char *target,
	      const char *json)
{
	char *answer = NULL;
	int status =
		api_call(t->path, method, target, json, TIMEOUT_S, &answer);
	int failed = status == -ECONNRESET ? 0 : outcome(t, status, answer);

	free(answer);
	return failed;
}

int call(const struct target *t, const char *method, const char *target,
	 const char *json, char **body)
{
	char *answer = NULL;
	int status =
		api_call(t->path, method, target, json, TIMEOUT_S, &answer);
	int failed = outcome(t, status, answer);

	if (!failed && body)
		*body = answer;
	else
		free(answer);
	return failed;
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
