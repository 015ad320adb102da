/* SPDX-License-Identifier: MIT */
/* A dial: a size that a scenario moves, step by step or by itself. Pure. */
#ifndef VMM_PRESSURE_DIAL_H
#define VMM_PRESSURE_DIAL_H

#include "vmm/scenario.h"

struct dial_state {
	bool used;
	struct move move; /* its amounts in bytes */
	int64_t began_ms;
	double from, now; /* bytes: when it began, and last */
	int64_t steps; /* of a walk that were taken */
	uint64_t chance;
};

/* Move as @m says from now on; percentages are of @whole bytes. */
void dial_start(struct dial_state *d, const struct move *m, double whole,
		int64_t now_ms);

/* Where it is at @now_ms; bytes. */
double dial_at(struct dial_state *d, int64_t now_ms);

/* When it will be where it goes, if it is on a ramp; INT64_MAX else. */
int64_t dial_due(const struct dial_state *d, int64_t now_ms);

#endif
