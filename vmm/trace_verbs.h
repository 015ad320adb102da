/* SPDX-License-Identifier: MIT */
/* What `twofold trace` does with a file that was read. */
#ifndef VMM_TRACE_VERBS_H
#define VMM_TRACE_VERBS_H

#include <stdio.h>

#include "vmm/trace_filter.h"

/* To stdout; the exit status. */
int trace_print(const struct trace_file *t, const struct trace_filter *f);
int trace_stats(const struct trace_file *t, const struct trace_filter *f,
		bool json);

/* To @to, as "csv", "chrome" or "perfetto". False: @format is none of these,
 * which was complained about. */
bool trace_export(const struct trace_file *t, const struct trace_filter *f,
		  const char *format, FILE *to);

/* One page to @to, with all in it that it needs; @name is its title. */
void trace_report(const struct trace_file *t, const struct trace_filter *f,
		  const char *name, FILE *to);

/* `trace record`: @argv: the words behind it. The exit status. */
int trace_record(int argc, char **argv);

#endif
