/* SPDX-License-Identifier: MIT */
/* A trace, summed up: what stats prints and the report shows. */
#ifndef VMM_TRACE_SUM_H
#define VMM_TRACE_SUM_H

#include <jansson.h>

#include "vmm/trace_filter.h"

#define SUM_BUCKETS   40 /* of latencies: [2^(i-1), 2^i) us; 0: below 1 us */
#define SUM_LEVELS    5
#define SUM_PROCESSES 64
#define SUM_VCPUS     64

/* A number that the trace and the VM both have: they are to be equal. */
struct sum_total {
	const char *name;
	uint64_t records, counted;
	bool has_counted;
};

#define SUM_TOTALS 6

struct trace_sum {
	uint64_t events, lost;
	bool lost_known;
	uint64_t kind[TRACE_KINDS], source[TRACE_SOURCES];
	uint64_t fault[3]; /* by enum trace_fault */
	/* Of stage-2 faults: what missed, as far as that is known. */
	uint64_t level[SUM_LEVELS], unknown;
	uint64_t vcpu[SUM_VCPUS], vcpu_unknown;
	uint64_t latency[2][SUM_BUCKETS]; /* of stage 1, of stage 2 */
	double us[TRACE_STAGES]; /* in all */
	uint64_t split, wakes; /* faults that have it, with and without WAKE */
	uint64_t how[16]; /* by the bits of enum trace_how */
	double cost_us; /* of finding out who it was, in all */
	struct {
		uint32_t pid;
		uint64_t stage1, stage2;
		double us; /* it waited in stage-2 faults */
	} process[SUM_PROCESSES];
	unsigned processes;
	uint64_t other_processes; /* faults of more */
	double first_us, last_us;
	struct sum_total total[SUM_TOTALS];
	bool filtered; /* totals are of a part only */
};

void trace_sum(const struct trace_file *t, const struct trace_filter *f,
	       struct trace_sum *sum);
/* Is every total what the VM counted? */
bool trace_sum_exact(const struct trace_sum *sum);
json_t *trace_sum_json(const struct trace_file *t, const struct trace_sum *sum);

#endif
