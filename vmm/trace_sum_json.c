/* SPDX-License-Identifier: MIT */
#include "vmm/safe_json.h"
#include "vmm/trace_names.h"
#include "vmm/trace_sum.h"

static void set(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer(safe_count(n)));
}

/* {NAME: count} of what there is any of. */
static json_t *by_name(const uint64_t *count, unsigned n,
		       const char *(*name)(unsigned i))
{
	json_t *o = json_object();

	for (unsigned i = 0; i < n; i++)
		if (count[i])
			set(o, name(i), count[i]);
	return o;
}

/* [[least, stage-1 faults, stage-2 faults]]: microseconds, powers of two. */
static json_t *latency_json(const struct trace_sum *sum)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < SUM_BUCKETS; i++)
		if (sum->latency[0][i] || sum->latency[1][i])
			json_array_append_new(
				list,
				json_pack("{s:I, s:I, s:I, s:I}", "from_us",
					  i ? (json_int_t)1 << (i - 1) : 0,
					  "to_us", (json_int_t)1 << i, "stage1",
					  safe_count(sum->latency[0][i]),
					  "stage2",
					  safe_count(sum->latency[1][i])));
	return list;
}

static json_t *processes_json(const struct trace_sum *sum)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < sum->processes; i++)
		json_array_append_new(
			list,
			json_pack("{s:I, s:I, s:I, s:f}", "pid",
				  (json_int_t)sum->process[i].pid, "stage1",
				  safe_count(sum->process[i].stage1), "stage2",
				  safe_count(sum->process[i].stage2),
				  "stage2_us", sum->process[i].us));
	return list;
}

static json_t *split_json(const struct trace_sum *sum)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < TRACE_STAGES; i++) {
		uint64_t n = i == STAGE_WAKE ? sum->wakes : sum->split;

		if (n)
			json_object_set_new(o, trace_stage_name(i),
					    json_real(sum->us[i] / (double)n));
	}
	return o;
}

static json_t *how_json(const struct trace_sum *sum)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < 16; i++) {
		char how[32];

		trace_how_text(i, how);
		if (sum->how[i])
			set(o, *how ? how : "unknown", sum->how[i]);
	}
	return o;
}

static json_t *totals_json(const struct trace_sum *sum)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < SUM_TOTALS; i++) {
		const struct sum_total *t = &sum->total[i];

		json_object_set_new(
			o, t->name,
			json_pack("{s:I, s:o}", "records",
				  safe_count(t->records), "counted",
				  t->has_counted
					  ? json_integer(safe_count(t->counted))
					  : json_null()));
	}
	return o;
}

json_t *trace_sum_json(const struct trace_file *t, const struct trace_sum *sum)
{
	uint64_t faults = sum->kind[TRACE_STAGE2];
	json_t *missed = by_name(sum->level, SUM_LEVELS, trace_level_name);

	if (sum->unknown)
		set(missed, "unknown", sum->unknown);
	return json_pack(
		"{s:I, s:I, s:o, s:f, s:f, s:b, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:f, s:o, s:b}",
		"version", (json_int_t)t->header.version, "events",
		safe_count(sum->events), "lost",
		sum->lost_known ? json_integer(safe_count(sum->lost))
				: json_null(),
		"begin_us", sum->first_us, "end_us", sum->last_us, "timed",
		t->header.tsc_hz != 0, "kinds",
		by_name(sum->kind, TRACE_KINDS, trace_kind_name), "faults",
		by_name(sum->fault, 3, trace_fault_name), "sources",
		by_name(sum->source, TRACE_SOURCES, trace_source_name),
		"missed", missed, "processes", processes_json(sum),
		"latency_us", latency_json(sum), "mean_split_us",
		split_json(sum), "known_by", how_json(sum), "mean_cost_us",
		faults ? sum->cost_us / (double)faults : 0.0, "totals",
		totals_json(sum), "totals_exact", trace_sum_exact(sum));
}
