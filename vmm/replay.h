/* SPDX-License-Identifier: MIT */
#ifndef VMM_REPLAY_H
#define VMM_REPLAY_H

#include <stdio.h>

#include "vmm/references.h"

/* `replay --verify PATH`: tell the policy once more what it was told in the run
 * that PATH is a trace of. The exit status: 0: it gave up the same pages, and
 * no others were evicted; 1: not, or the file cannot be read; 2: it does not
 * have what is needed. */
int replay_verify(const char *path);

/* One policy on one string with one number of frames. */
struct replay_result {
	const char *policy;
	uint64_t frames, misses;
};

struct replay_report {
	const char *trace; /* its path */
	const struct references *references;
	size_t n;
	struct replay_result *result;
};

/* The ways to print a report, ended by a name of NULL. */
struct replay_format {
	const char *name;
	void (*print)(const struct replay_report *report, FILE *to);
};
extern const struct replay_format replay_formats[];

/* `twofold replay TRACE ...`; @argv: the words behind "replay". The exit
 * status: 0, 1 the trace cannot be read, 2 it or the words make no sense. */
int cmd_replay(int argc, char **argv);

#endif
