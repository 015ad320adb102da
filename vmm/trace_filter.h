/* SPDX-License-Identifier: MIT */
/* Which events of a trace are wanted, by options that print, stats and export
 * share. */
#ifndef VMM_TRACE_FILTER_H
#define VMM_TRACE_FILTER_H

#include "vmm/options.h"
#include "vmm/trace_file.h"

struct trace_range {
	bool given;
	uint64_t first, last;
};

struct trace_filter {
	struct trace_range gpa, gva, pid;
	const char *kind; /* NULL: any */
	double slower_us; /* 0: any */
};

/*
 * Is @word the name of a filter? Then its value is @value, or in @word behind
 * a '='; *used says how many words that were: 1, 2, or 0: it is no filter.
 * False: *why says what is wrong with the value.
 */
bool trace_filter_take(struct trace_filter *f, const char *word,
		       const char *value, int *used, struct complaint *why);

bool trace_filter_wants(const struct trace_filter *f,
			const struct trace_file *t,
			const struct trace_event *e);

#endif
