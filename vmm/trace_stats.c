/* SPDX-License-Identifier: MIT */
/* `twofold trace stats`. */
#include <inttypes.h>
#include <stdlib.h>

#include "vmm/trace_names.h"
#include "vmm/trace_sum.h"
#include "vmm/trace_verbs.h"

#define BAR 32 /* of a histogram, characters */

static void print_names(const char *title, const uint64_t *count, unsigned n,
			const char *(*name)(unsigned i), uint64_t unknown)
{
	printf("%-10s", title);
	for (unsigned i = 0; i < n; i++)
		if (count[i])
			printf(" %s %" PRIu64, name(i), count[i]);
	if (unknown)
		printf(" unknown %" PRIu64, unknown);
	putchar('\n');
}

static void print_processes(const struct trace_sum *sum)
{
	puts("\n  pid    stage-1   stage-2   waited in stage 2");
	for (unsigned i = 0; i < sum->processes; i++)
		printf("%5" PRIu32 " %10" PRIu64 " %9" PRIu64 " %14.1f ms\n",
		       sum->process[i].pid, sum->process[i].stage1,
		       sum->process[i].stage2, sum->process[i].us / 1000);
	if (sum->other_processes)
		printf("other      %" PRIu64 " faults\n", sum->other_processes);
}

static void print_bar(uint64_t n, uint64_t most)
{
	unsigned len = (unsigned)((n * BAR + most - 1) / most);

	putchar(' ');
	while (len--)
		putchar('#');
	putchar('\n');
}

static void print_latency(const struct trace_sum *sum, const char *unit)
{
	uint64_t most = 1;

	for (unsigned i = 0; i < SUM_BUCKETS; i++)
		if (sum->latency[1][i] > most)
			most = sum->latency[1][i];
	printf("\n%14s    stage-1   stage-2\n", unit);
	for (unsigned i = 0; i < SUM_BUCKETS; i++) {
		if (!sum->latency[0][i] && !sum->latency[1][i])
			continue;
		printf("%6" PRIu64 " - %6" PRIu64 " %9" PRIu64 " %9" PRIu64,
		       i ? UINT64_C(1) << (i - 1) : 0, UINT64_C(1) << i,
		       sum->latency[0][i], sum->latency[1][i]);
		print_bar(sum->latency[1][i], most);
	}
}

static void print_split(const struct trace_sum *sum, const char *unit)
{
	printf("\nmean fault  ");
	for (unsigned i = 0; i < TRACE_STAGES; i++) {
		uint64_t n = i == STAGE_WAKE ? sum->wakes : sum->split;

		if (n)
			printf(" %s %.1f %s", trace_stage_name(i),
			       sum->us[i] / (double)n, unit);
	}
	putchar('\n');
}

static void print_how(const struct trace_sum *sum, const char *unit)
{
	printf("who by     ");
	for (unsigned i = 0; i < 16; i++) {
		char how[32];

		trace_how_text(i, how);
		if (sum->how[i])
			printf(" %s %" PRIu64, *how ? how : "unknown",
			       sum->how[i]);
	}
	if (sum->split)
		printf(", %.2f %s a fault", sum->cost_us / (double)sum->split,
		       unit);
	putchar('\n');
}

static void print_totals(const struct trace_sum *sum)
{
	if (sum->filtered) {
		puts("\nof a part of the trace: totals are of all");
		return;
	}
	puts("\ntotals                records   counted by the VM");
	for (unsigned i = 0; i < SUM_TOTALS; i++) {
		const struct sum_total *t = &sum->total[i];

		printf("%-20s %8" PRIu64, t->name, t->records);
		if (t->has_counted)
			printf(" %19" PRIu64 "%s\n", t->counted,
			       t->counted == t->records ? "" : "  differs");
		else
			puts("                   -");
	}
	if (sum->lost_known)
		printf("records lost         %8" PRIu64 "\n", sum->lost);
	else
		puts("records lost          unknown: the trace has no end");
}

static void print_text(const struct trace_file *t, const struct trace_sum *sum)
{
	const char *unit = t->header.tsc_hz ? "us" : "ticks";

	printf("%" PRIu64 " events in %.3f s\n", sum->events,
	       (sum->last_us - sum->first_us) / 1e6);
	print_names("kind", sum->kind, TRACE_KINDS, trace_kind_name, 0);
	print_names("stage 2", sum->fault, 3, trace_fault_name, 0);
	print_names("source", sum->source, TRACE_SOURCES, trace_source_name, 0);
	print_names("missed", sum->level, SUM_LEVELS, trace_level_name,
		    sum->unknown);
	print_how(sum, unit);
	print_split(sum, unit);
	print_latency(sum, unit);
	print_processes(sum);
	print_totals(sum);
}

int trace_stats(const struct trace_file *t, const struct trace_filter *f,
		bool json)
{
	struct trace_sum sum;

	trace_sum(t, f, &sum);
	if (json) {
		json_t *o = trace_sum_json(t, &sum);

		json_dumpf(o, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(o);
	} else {
		print_text(t, &sum);
	}
	return 0;
}
