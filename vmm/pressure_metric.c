/* SPDX-License-Identifier: MIT */
#include "vmm/pressure_metric.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

const struct metric_name metric_name[METRICS] = {
	[METRIC_CAP] = { "cap_mib", "the cap in force" },
	[METRIC_RESIDENT] = { "resident_mib", "host memory behind the guest" },
	[METRIC_GUEST] = { "guest_per_s", "what its programs say they did" },
	[METRIC_FAULTS] = { "faults_per_s", "stage-2 faults" },
	[METRIC_SWAP_IN] = { "swap_in_per_s", "pages that came back" },
	[METRIC_SWAP_OUT] = { "swap_out_per_s", "pages that left" },
	[METRIC_WAIT] = { "wait_us", "stall time a fault" },
	[METRIC_SOME] = { "stall_some", "% of time some vCPU waits" },
	[METRIC_FULL] = { "stall_full", "% of time all vCPUs wait" },
	[METRIC_SOME_AVG10] = { "stall_some_avg10", "the same, over 10 s" },
	[METRIC_FULL_AVG10] = { "stall_full_avg10", "the same, over 10 s" },
	[METRIC_PAUSED] = { "paused", "1 while the VM is, 0 else" },
};

static double mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* @a to @b, a second of @us. */
static double rate(uint64_t a, uint64_t b, double us)
{
	return us > 0 ? (double)(b - a) * 1e6 / us : 0;
}

void metrics_between(const struct sample *a, const struct sample *b,
		     double to[METRICS])
{
	double us = (double)(b->wall_us - a->wall_us);
	double faults = (double)(b->faults - a->faults);
	double some = (double)(b->some_us - a->some_us);

	to[METRIC_CAP] = mib(b->cap);
	to[METRIC_RESIDENT] = mib(b->resident);
	to[METRIC_GUEST] = rate(a->progress, b->progress, us);
	to[METRIC_FAULTS] = rate(a->faults, b->faults, us);
	to[METRIC_SWAP_IN] = rate(a->swapped_in, b->swapped_in, us);
	to[METRIC_SWAP_OUT] = rate(a->swapped_out, b->swapped_out, us);
	to[METRIC_WAIT] = faults > 0 ? some / faults : 0;
	to[METRIC_SOME] = rate(a->some_us, b->some_us, us) / 1e4;
	to[METRIC_FULL] = rate(a->full_us, b->full_us, us) / 1e4;
	to[METRIC_SOME_AVG10] = b->some_avg10;
	to[METRIC_FULL_AVG10] = b->full_avg10;
	to[METRIC_PAUSED] = b->paused;
}

static bool read_numbers(struct sample *s, json_t *st)
{
	json_int_t wall, size, cap, resident, progress, missing, minor, in, out,
		some, full;

	if (json_unpack(st,
			"{s:I, s:{s:I, s:I, s:I}, s:{s:I}, s:{s:I, s:I},"
			" s:{s:I, s:I},"
			" s:{s:{s:I, s:F}, s:{s:I, s:F}}}",
			"wall_us", &wall, "memory", "size_bytes", &size,
			"resident_limit_bytes", &cap, "resident_bytes",
			&resident, "guest", "progress", &progress, "faults",
			"missing", &missing, "minor", &minor, "pages",
			"swapped_in", &in, "swapped_out", &out, "pressure",
			"some", "total_us", &some, "avg10", &s->some_avg10,
			"full", "total_us", &full, "avg10", &s->full_avg10))
		return false;
	s->wall_us = (uint64_t)wall;
	s->size = (uint64_t)size;
	s->cap = (uint64_t)cap;
	s->resident = (uint64_t)resident;
	s->progress = (uint64_t)progress;
	s->faults = (uint64_t)(missing + minor);
	s->swapped_in = (uint64_t)in;
	s->swapped_out = (uint64_t)out;
	s->some_us = (uint64_t)some;
	s->full_us = (uint64_t)full;
	return true;
}

bool sample_read(struct sample *s, const char *json)
{
	json_t *st = json_loads(json, 0, NULL);
	const char *state, *reason;
	bool ok = !json_unpack(st, "{s:s, s:s}", "state", &state, "reason",
			       &reason) &&
		  read_numbers(s, st);

	if (ok) {
		s->paused = !strcmp(state, "paused");
		snprintf(s->reason, sizeof(s->reason), "%s", reason);
	}
	json_decref(st);
	return ok;
}
