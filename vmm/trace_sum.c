/* SPDX-License-Identifier: MIT */
#include "vmm/trace_sum.h"

#include <string.h>

#include "vmm/trace_names.h"

static unsigned bucket_of(double us)
{
	uint64_t n = us < 1 ? 0 : (uint64_t)us;
	unsigned i = n ? 64 - (unsigned)__builtin_clzll(n) : 0;

	return i < SUM_BUCKETS ? i : SUM_BUCKETS - 1;
}

static void add_process(struct trace_sum *sum, const struct trace_event *e,
			double us)
{
	unsigned i = 0;

	if (!e->has_pid)
		return;
	while (i < sum->processes && sum->process[i].pid != e->pid)
		i++;
	if (i == SUM_PROCESSES) {
		sum->other_processes++;
		return;
	}
	if (i == sum->processes)
		sum->process[sum->processes++].pid = e->pid;
	if (e->r->kind == TRACE_STAGE1) {
		sum->process[i].stage1++;
	} else {
		sum->process[i].stage2++;
		sum->process[i].us += us;
	}
}

static void add_split(const struct trace_file *t, struct trace_sum *sum,
		      const struct trace_event *e)
{
	sum->split += e->has_split;
	sum->wakes += e->has_wake;
	for (unsigned i = 0; i < TRACE_STAGES; i++)
		sum->us[i] += trace_ticks_us(t, e->ticks[i]);
	sum->cost_us += trace_ticks_us(t, e->cost);
}

static void add_stage2(const struct trace_file *t, struct trace_sum *sum,
		       const struct trace_event *e)
{
	if (e->r->fault < 3)
		sum->fault[e->r->fault]++;
	if (e->has_gva && e->level < SUM_LEVELS)
		sum->level[e->level]++;
	else
		sum->unknown++;
	if (e->vcpu >= 0 && e->vcpu < SUM_VCPUS)
		sum->vcpu[e->vcpu]++;
	else
		sum->vcpu_unknown++;
	sum->how[e->how & 15]++;
	add_split(t, sum, e);
}

static void add(const struct trace_file *t, struct trace_sum *sum,
		const struct trace_event *e)
{
	const struct trace_record *r = e->r;
	double us = trace_ticks_us(t, r->ticks);

	sum->events++;
	if (r->kind < TRACE_KINDS)
		sum->kind[r->kind]++;
	if (r->kind != TRACE_STAGE1 && r->source < TRACE_SOURCES)
		sum->source[r->source]++;
	if (r->kind == TRACE_STAGE2)
		add_stage2(t, sum, e);
	if (r->kind == TRACE_STAGE1 || r->kind == TRACE_STAGE2) {
		sum->latency[r->kind == TRACE_STAGE2][bucket_of(us)]++;
		add_process(sum, e, us);
	}
}

/* Of the records that tell of pages that left: how many went there? */
static uint64_t evicted(const struct trace_file *t, unsigned to)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->records; i++)
		n += t->record[i]->kind == TRACE_EVICT &&
		     (t->record[i]->source == to ||
		      (to == TRACE_SOURCE_CLEAN &&
		       t->record[i]->source == TRACE_SOURCE_SHARED));
	return n;
}

static void take_totals(const struct trace_file *t, struct trace_sum *sum)
{
	const struct trace_record *lost = trace_file_counter(t, "trace.lost");
	const struct sum_total totals[SUM_TOTALS] = {
		{ "faults.missing", sum->fault[TRACE_MISSING], 0, 0 },
		{ "faults.minor", sum->fault[TRACE_MINOR], 0, 0 },
		{ "pages.mapped_ahead", sum->kind[TRACE_AHEAD], 0, 0 },
		{ "pages.swapped_out", evicted(t, TRACE_SOURCE_SWAP), 0, 0 },
		{ "pages.clean_dropped", evicted(t, TRACE_SOURCE_CLEAN), 0, 0 },
		{ "pages.zero_elided", evicted(t, TRACE_SOURCE_ZERO), 0, 0 },
	};

	memcpy(sum->total, totals, sizeof(totals));
	for (unsigned i = 0; i < SUM_TOTALS; i++) {
		const struct trace_record *c =
			trace_file_counter(t, totals[i].name);

		sum->total[i].has_counted = c;
		if (c)
			sum->total[i].counted =
				c->counter.after - c->counter.before;
	}
	sum->lost_known = lost;
	sum->lost = lost ? lost->counter.after : 0;
}

void trace_sum(const struct trace_file *t, const struct trace_filter *f,
	       struct trace_sum *sum)
{
	*sum = (struct trace_sum){ .events = 0 };
	for (size_t i = 0; i < t->records; i++) {
		struct trace_event e;

		trace_file_event(t, i, &e);
		if (!trace_filter_wants(f, t, &e)) {
			sum->filtered = true;
			continue;
		}
		if (!sum->events)
			sum->first_us = trace_file_us(t, e.r->tsc);
		sum->last_us = trace_file_us(t, e.r->tsc);
		add(t, sum, &e);
	}
	take_totals(t, sum);
}

bool trace_sum_exact(const struct trace_sum *sum)
{
	for (unsigned i = 0; i < SUM_TOTALS; i++)
		if (!sum->total[i].has_counted ||
		    sum->total[i].records != sum->total[i].counted)
			return false;
	return !sum->filtered;
}
