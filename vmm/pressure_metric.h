/* SPDX-License-Identifier: MIT */
/* What is measured while a VM is under pressure: samples of its status, and the
 * metrics that two of them make. */
#ifndef VMM_PRESSURE_METRIC_H
#define VMM_PRESSURE_METRIC_H

#include <stdbool.h>
#include <stdint.h>

/* One status of a VM. */
struct sample {
	int64_t at_ms; /* since the run began */
	uint64_t wall_us; /* the VM's own clock */
	uint64_t size, cap, resident; /* bytes */
	uint64_t progress, faults, swapped_in, swapped_out; /* ever */
	uint64_t some_us, full_us; /* ever */
	double some_avg10, full_avg10;
	bool paused;
	char reason[80]; /* of that */
};

enum metric {
	METRIC_CAP,
	METRIC_RESIDENT,
	METRIC_GUEST,
	METRIC_FAULTS,
	METRIC_SWAP_IN,
	METRIC_SWAP_OUT,
	METRIC_WAIT,
	METRIC_SOME,
	METRIC_FULL,
	METRIC_SOME_AVG10,
	METRIC_FULL_AVG10,
	METRIC_PAUSED,
	METRICS
};

extern const struct metric_name {
	const char *name, *about;
} metric_name[METRICS];

/* What has gone on from @a to @b, a later one. */
void metrics_between(const struct sample *a, const struct sample *b,
		     double to[METRICS]);

/* False: @json is no answer to GET /status. */
bool sample_read(struct sample *s, const char *json);

#endif
