/* SPDX-License-Identifier: MIT */
/* `twofold ctl`: the control API, by hand. */
#include "vmm/ctl.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "vmm/attribute.h"
#include "vmm/audit.h"
#include "vmm/balloon.h"
#include "vmm/ctl_call.h"
#include "vmm/ctl_events.h"
#include "vmm/ctl_order.h"
#include "vmm/ctl_status.h"
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

static int verb_attribute(const struct target *t, int argc, char **argv)
{
	return ask(t, argc, argv, "/memory/attribution", attribution_print);
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

/* Alone, or with --json, a question. */
static bool is_question(int argc, char **argv)
{
	return argc == 0 || (argc == 1 && !strcmp(argv[0], "--json"));
}

/* A verb with one word, which @make turns into a request. */
static int change(const struct target *t, int argc, char **argv,
		  const char *want,
		  bool (*make)(struct order *o, const char *text,
			       struct complaint *why))
{
	struct complaint why;
	struct order o;

	if (argc != 1)
		return complain_usage(t->command, want, NULL);
	if (!make(&o, argv[0], &why))
		return complain_usage(t->command, why.text, NULL);
	return call(t, o.method, o.target, o.json, NULL);
}

static int verb_policy(const struct target *t, int argc, char **argv)
{
	if (is_question(argc, argv))
		return ask(t, argc, argv, "/policy", print_policy);
	return change(t, argc, argv, "policy takes one NAME", order_policy);
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

static int verb_resident(const struct target *t, int argc, char **argv)
{
	if (is_question(argc, argv))
		return ask(t, argc, argv, "/memory/resident", print_resident);
	return change(t, argc, argv, "resident takes one SIZE, as in 64M",
		      order_resident);
}

static int verb_balloon(const struct target *t, int argc, char **argv)
{
	if (is_question(argc, argv))
		return ask(t, argc, argv, "/balloon/statistics", balloon_print);
	if (argc == 1 && !strcmp(argv[0], "hints"))
		return call(t, "PATCH", "/balloon/hinting/start", NULL, NULL);
	return change(t, argc, argv, "balloon takes one SIZE, or hints",
		      order_balloon);
}

static int set_state(const struct target *t, int argc, char **argv,
		     const char *state)
{
	struct order o = order_state(state);

	if (argc)
		return complain_usage(t->command,
				      "no word belongs here:", argv[0]);
	if (!strcmp(state, "Stopped"))
		return call_last(t, o.method, o.target, o.json);
	return call(t, o.method, o.target, o.json, NULL);
}

static int verb_pause(const struct target *t, int argc, char **argv)
{
	return set_state(t, argc, argv, "Paused");
}

static int verb_resume(const struct target *t, int argc, char **argv)
{
	return set_state(t, argc, argv, "Resumed");
}

static int verb_stop(const struct target *t, int argc, char **argv)
{
	return set_state(t, argc, argv, "Stopped");
}

const struct verb verbs[] = {
	{ { 0, "status", "[--json]", "what the VM does and has done" },
	  verb_status },
	{ { 0, "audit", "[--json]",
	    "hold its page table against the kernel and swap" },
	  verb_audit },
	{ { 0, "attribute", "[--json]",
	    "which of the guest's processes has how much of its memory,\n"
	    "resident and swapped, by their page tables; the guest is not\n"
	    "asked" },
	  verb_attribute },
	{ { 0, "mrc", "[--json]",
	    "misses by resident size, and by other policies" },
	  verb_mrc },
	{ { 0, "policy", "[POLICY|--json]",
	    "say or change who chooses the page that leaves" },
	  verb_policy },
	{ { 0, "balloon", "[SIZE|hints|--json]",
	    "ask the guest for so much of its memory; alone, how it\n"
	    "stands, with the guest's own statistics; hints: have it say,\n"
	    "once, which pages it does not use" },
	  verb_balloon },
	{ { 0, "resident", "[SIZE|--json]",
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
