/* SPDX-License-Identifier: MIT */
/* `twofold explain VM ADDRESS`: ask, and print the answer for people. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "vmm/ctl_call.h"
#include "vmm/explain.h"

/* A stage-1 entry follows the stage-2 walk that finds it. */
static bool print_ref(json_t *ref)
{
	json_t *entry = json_object_get(ref, "entry");
	const char *gpa, *decoded;
	int stage, level;

	if (json_unpack(ref, "{s:i, s:i, s:s, s:s}", "stage", &stage, "level",
			&level, "gpa", &gpa, "decoded", &decoded))
		return false;
	printf("%s %d, %s %s: %s",
	       stage == 1 ? "stage 1 level" : "    stage 2 level", level,
	       stage == 1 ? "entry at gpa" : "for gpa", gpa, decoded);
	if (json_is_string(entry))
		printf(" [%s]", json_string_value(entry));
	printf("\n");
	return true;
}

static bool print_walk(json_t *report)
{
	json_t *walk, *ref;
	size_t i;

	if (json_unpack(report, "{s:o}", "walk", &walk))
		return false;
	json_array_foreach(walk, i, ref)
	{
		if (!print_ref(ref))
			return false;
	}
	return true;
}

static void print_slot(json_t *stored)
{
	const char *tier, *codec, *checksum;
	json_int_t slot, bytes;

	if (!json_unpack(stored, "{s:s, s:I}", "tier", &tier, "slot", &slot))
		printf(" %s slot %lld", tier, slot);
	if (!json_unpack(stored, "{s:s, s:I, s:s}", "codec", &codec, "bytes",
			 &bytes, "checksum", &checksum))
		printf(", %s %lld bytes, checksum %s", codec, bytes, checksum);
}

static bool print_event(json_t *event)
{
	const char *what, *source, *policy;
	double ago, took;
	json_t *stored;

	if (json_unpack(event, "{s:s, s:F, s:F, s:s, s:s, s:o}", "what", &what,
			"ago_us", &ago, "took_us", &took, "source", &source,
			"policy", &policy, "stored", &stored))
		return false;
	printf("%10.3f s ago  %s", ago / 1e6, what);
	if (*policy && (!strcmp(what, "evict") || !strcmp(what, "age")))
		printf(" by %s", policy);
	if (strcmp(source, "none"))
		printf(" %s %s", strcmp(what, "evict") ? "from" : "to", source);
	print_slot(stored);
	if (took > 0)
		printf(", %.1f us", took);
	printf("\n");
	return true;
}

static bool print_page(json_t *report)
{
	json_t *page, *stored, *history, *event;
	const char *gfn, *state, *summary;
	json_int_t lost;
	size_t i;
	int busy;

	if (json_unpack(report, "{s:o}", "page", &page))
		return false;
	if (json_is_null(page)) {
		printf("page    none: no RAM there\n");
		return true;
	}
	if (json_unpack(page, "{s:s, s:s, s:b, s:o, s:s, s:o, s:I}", "gfn",
			&gfn, "state", &state, "busy", &busy, "stored", &stored,
			"summary", &summary, "history", &history, "events_lost",
			&lost))
		return false;
	printf("page    gfn %s: %s%s", gfn, state, busy ? ", busy" : "");
	if (!json_is_null(stored)) {
		printf("%s", strcmp(state, "stored") ? ", a copy in" : " in");
		print_slot(stored);
	}
	printf("\nwhy     %s\n", summary);
	json_array_foreach(history, i, event)
	{
		if (!print_event(event))
			return false;
	}
	if (lost)
		printf("  (%lld older events, of all pages, are forgotten)\n",
		       lost);
	return true;
}

static bool print_address(json_t *report)
{
	json_t *gva, *cr3, *gpa;

	if (json_unpack(report, "{s:o, s:o, s:o}", "gva", &gva, "cr3", &cr3,
			"gpa", &gpa))
		return false;
	if (json_is_string(gva))
		printf("gva     %s, by the tables at cr3 %s\n",
		       json_string_value(gva), json_string_value(cr3));
	printf("gpa     %s\n", json_is_string(gpa) ? json_string_value(gpa)
						   : "none: stage 1 ends");
	return true;
}

static int print(const char *text)
{
	json_t *report = json_loads(text, 0, NULL);
	bool ok = print_address(report) && print_walk(report) &&
		  print_page(report);

	json_decref(report);
	return ok ? 0 : -1;
}

/* What has no place in a request line is no address either. */
bool explain_target(const char *address, char path[EXPLAIN_TARGET])
{
	if (strlen(address) > 64 ||
	    address[strspn(address, "0123456789abcdefxABCDEFXgpv:")])
		return false;
	snprintf(path, EXPLAIN_TARGET, "/explain/%s", address);
	return true;
}

int cmd_explain(int argc, char **argv)
{
	bool raw = argc == 3 && !strcmp(argv[2], "--json");
	char path[EXPLAIN_TARGET];
	struct target t;

	if (argc < 2 || (argc > 2 && !raw))
		return complain_usage("explain", "want VM ADDRESS [--json]",
				      NULL);
	if (!explain_target(argv[1], path))
		return complain_usage("explain", "not an address:", argv[1]);
	if (!target_find(&t, "explain", argv[0]))
		return 2;
	return show(&t, path, raw, print);
}
