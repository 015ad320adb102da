/* SPDX-License-Identifier: MIT */
/* By asking again and again: that works through any number of hands. */
#include "vmm/ctl_events.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#define AGAIN_NS 200000000L

static bool print_event(json_t *event, bool raw, json_int_t *seq)
{
	const char *what, *detail;
	char when[32], *text;
	json_int_t us;
	struct tm t;

	if (json_unpack(event, "{s:I, s:I, s:s, s:s}", "seq", seq, "time_us",
			&us, "event", &what, "detail", &detail))
		return false;
	if (raw) {
		text = json_dumps(event, JSON_COMPACT);
		puts(text ? text : "");
		free(text);
		return true;
	}
	localtime_r(&(time_t){ us / 1000000 }, &t);
	strftime(when, sizeof(when), "%H:%M:%S", &t);
	printf("%s.%03d  %-10s %s\n", when, (int)(us / 1000 % 1000), what,
	       detail);
	return true;
}

/* Those after *seq, which becomes the last one's. How many; -1: no answer that
 * we know. */
static int print_events(const char *text, bool raw, json_int_t *seq)
{
	json_t *answer = json_loads(text, 0, NULL), *list, *event;
	size_t i;
	int n = -1;

	if (!json_unpack(answer, "{s:o}", "events", &list) &&
	    json_is_array(list)) {
		n = (int)json_array_size(list);
		json_array_foreach(list, i, event)
		{
			if (!print_event(event, raw, seq))
				n = -1;
		}
	}
	json_decref(answer);
	fflush(stdout);
	return n;
}

/* 0: nothing new; 1: something was; -1: no more will come, and why. */
static int ask(const struct target *t, bool raw, json_int_t *seq,
	       struct complaint *why)
{
	char path[64], *text;
	int n;

	snprintf(path, sizeof(path), "/events/after/%" JSON_INTEGER_FORMAT,
		 *seq);
	if (call_quietly(t, "GET", path, NULL, &text, why))
		return -1;
	n = print_events(text, raw, seq);
	free(text);
	if (n < 0)
		complaint_set(why, "not an answer this program knows");
	return n < 0 ? -1 : n > 0;
}

int ctl_events(const struct target *t, int argc, char **argv)
{
	bool raw = false, follow = false;
	struct complaint why;
	json_int_t seq = 0;
	int r;

	for (int i = 0; i < argc; i++) {
		raw |= !strcmp(argv[i], "--json");
		follow |= !strcmp(argv[i], "--follow");
		if (strcmp(argv[i], "--json") && strcmp(argv[i], "--follow"))
			return complain_usage(
				t->command, "--follow or --json, not", argv[i]);
	}
	do {
		r = ask(t, raw, &seq, &why);
		if (!r && follow)
			nanosleep(&(struct timespec){ .tv_nsec = AGAIN_NS },
				  NULL);
	} while (r > 0 || (!r && follow));
	/* The VM's end is what a follower waits for. */
	if (r < 0 && !(follow && seq))
		warnx("%s: %s", t->command, why.text);
	return r < 0 && !(follow && seq);
}
