/* SPDX-License-Identifier: MIT */
/* `twofold ctl`: the control API, by hand. */
#include "vmm/ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "vmm/audit.h"
#include "vmm/balloon.h"
#include "vmm/ctl_call.h"
#include "vmm/ctl_events.h"
#include "vmm/ctl_status.h"
#include "vmm/options.h"
#include "vmm/whatif.h"

/* A verb that only asks: GET @path; see show. */
static int ask(const struct target *t, int argc, char **argv, const char *path,
	       int (*print)(const char *text))
{
	bool raw = argc == 1 && !strcmp(argv[0], "--json");

	if (argc && !raw)
		return complain_usage(t->command,
				      "only --json belongs here:", argv[0]);
	return show(t, path, raw, print);
}

static int verb_status(const struct target *t, int argc, char **argv)
{
	return ask(t, argc, argv, "/status", ctl_print_status);
}

static int verb_audit(const struct target *t, int argc, char **argv)
{
	return ask(t, argc, argv, "/memory/audit", audit_print);
}

static int verb_mrc(const struct target *t, int argc, char **argv)
{
	return ask(t, argc, argv, "/memory/mrc", whatif_print);
}

static int print_policy(const char *text)
{
	json_t *answer = json_loads(text, 0, NULL), *names, *name;
	const char *now;
	size_t i;

	if (json_unpack(answer, "{s:s, s:o}", "policy", &now, "policies",
			&names)) {
		json_decref(answer);
		return -1;
	}
	json_array_foreach(names, i, name)
	{
		const char *s = json_string_value(name);

		printf("%s %s\n", s && !strcmp(s, now) ? "*" : " ", s);
	}
	json_decref(answer);
	return 0;
}

/* Without a NAME, or with --json, a question. */
static int verb_policy(const struct target *t, int argc, char **argv)
{
	json_t *body;
	char *text;
	int r;

	if (argc == 0 || (argc == 1 && !strcmp(argv[0], "--json")))
		return ask(t, argc, argv, "/policy", print_policy);
	if (argc != 1)
		return complain_usage(t->command, "policy takes one NAME",
				      NULL);
	body = json_pack("{s:s}", "policy", argv[0]);
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (!text)
		return complain_usage(t->command, "not a policy:", argv[0]);
	r = call(t, "PUT", "/policy", text, NULL);
	free(text);
	return r;
}

static int print_resident(const char *text)
{
	json_t *answer = json_loads(text, 0, NULL);
	json_int_t cap, floor;
	int bad = json_unpack(answer, "{s:I, s:I}", "resident_bytes", &cap,
			      "floor_bytes", &floor);

	json_decref(answer);
	if (!bad)
		printf("%.1f MiB, at least %.1f\n", (double)cap / (1 << 20),
		       (double)floor / (1 << 20));
	return bad;
}

/* Without a SIZE, or with --json, a question. */
static int verb_resident(const struct target *t, int argc, char **argv)
{
	uint64_t bytes;
	char json[64];

	if (argc == 0 || (argc == 1 && !strcmp(argv[0], "--json")))
		return ask(t, argc, argv, "/memory/resident", print_resident);
	if (argc != 1)
		return complain_usage(t->command, "resident takes one SIZE",
				      NULL);
	if (!size_parse(argv[0], 0, &bytes))
		return complain_usage(t->command,
				      "not a size, as in 64M:", argv[0]);
	snprintf(json, sizeof(json), "{\"resident_bytes\": %" PRIu64 "}",
		 bytes);
	return call(t, "PUT", "/memory/resident", json, NULL);
}

/* Without a SIZE, or with --json, a question. */
static int verb_balloon(const struct target *t, int argc, char **argv)
{
	uint64_t bytes;
	char json[64];

	if (argc == 0 || (argc == 1 && !strcmp(argv[0], "--json")))
		return ask(t, argc, argv, "/balloon/statistics", balloon_print);
	if (argc != 1)
		return complain_usage(t->command, "balloon takes one SIZE",
				      NULL);
	if (strcmp(argv[0], "0") && !size_parse(argv[0], 0, &bytes))
		return complain_usage(t->command,
				      "not a size, as in 64M:", argv[0]);
	if (!strcmp(argv[0], "0"))
		bytes = 0;
	snprintf(json, sizeof(json), "{\"amount_mib\": %" PRIu64 "}",
		 bytes >> 20);
	return call(t, "PATCH", "/balloon", json, NULL);
}

static int set_state(const struct target *t, int argc, char **argv,
		     const char *json)
{
	if (argc)
		return complain_usage(t->command,
				      "no word belongs here:", argv[0]);
	return call(t, "PATCH", "/vm", json, NULL);
}

static int verb_pause(const struct target *t, int argc, char **argv)
{
	return set_state(t, argc, argv, "{\"state\": \"Paused\"}");
}

static int verb_resume(const struct target *t, int argc, char **argv)
{
	return set_state(t, argc, argv, "{\"state\": \"Resumed\"}");
}

static int verb_stop(const struct target *t, int argc, char **argv)
{
	if (argc)
		return complain_usage(t->command,
				      "no word belongs here:", argv[0]);
	return call_last(t, "PATCH", "/vm", "{\"state\": \"Stopped\"}");
}

const struct verb verbs[] = {
	{ { 0, "status", "[--json]", "what the VM does and has done" },
	  verb_status },
	{ { 0, "audit", "[--json]",
	    "hold its page table against the kernel and swap" },
	  verb_audit },
	{ { 0, "mrc", "[--json]",
	    "misses by resident size, and by other policies" },
	  verb_mrc },
	{ { 0, "policy", "[POLICY]",
	    "say or change who chooses the page that leaves" },
	  verb_policy },
	{ { 0, "balloon", "[SIZE]",
	    "ask the guest for so much of its memory; alone, how it\n"
	    "stands, with the guest's own statistics" },
	  verb_balloon },
	{ { 0, "resident", "[SIZE]",
	    "cap the host memory behind it, as in 64M; alone, the cap" },
	  verb_resident },
	{ { 0, "events", "[--follow] [--json]",
	    "what has happened; with --follow until it is gone" },
	  ctl_events },
	{ { 0, "pause", "", "stop its CPUs" }, verb_pause },
	{ { 0, "resume", "", "let them go on" }, verb_resume },
	{ { 0, "stop", "", "end the run" }, verb_stop },
	{ { 0, NULL, NULL, NULL }, NULL },
};

int cmd_ctl(int argc, char **argv)
{
	struct target t;

	if (argc < 2 || !*argv[0])
		return complain_usage("ctl", "a VM and a verb are needed",
				      NULL);
	if (!target_find(&t, "ctl", argv[0]))
		return 2;
	for (const struct verb *v = verbs; v->run; v++)
		if (!strcmp(v->word.name, argv[1]))
			return v->run(&t, argc - 2, argv + 2);
	return complain_usage("ctl", "no such verb:", argv[1]);
}
