/* SPDX-License-Identifier: MIT */
/*
 * Where the thread that serves faults should run. What a fault costs depends
 * on it by a factor of 20: to wake a thread that sleeps on another CPU may
 * take an inter-processor interrupt and a halt to leave. So it is measured, on
 * this machine, before the first fault.
 */
#ifndef EPT_PLACEMENT_H
#define EPT_PLACEMENT_H

#include <stdint.h>

#include "ept/wakeful.h"

enum placement {
	PLACE_SAME_CPU, /* on the vCPU's own CPU, blocked between faults */
	PLACE_SPIN, /* on another CPU, polling for a while (spin.h) */
	PLACE_BLOCKED, /* on another CPU, blocked */
	PLACE_AWAKE, /* the same, while idle CPUs are kept from halting */
	PLACEMENTS
};

extern const char *const placement_name[PLACEMENTS];

struct placement_report {
	enum placement choice;
	uint64_t ticks[PLACEMENTS]; /* TSC ticks a fault; 0: not measured */
	int cpu; /* PLACE_SAME_CPU: the CPU to share */
	struct {
		uint64_t most, now; /* TSC ticks that a wait may poll */
		uint64_t polled, blocked; /* waits for a fault that ended so */
	} spin;
};

/*
 * Measure and choose; @may_share says whether one CPU for vCPU and handler
 * makes sense (one vCPU), @w is how CPUs are kept awake. Takes about a
 * millisecond; called by the thread that will serve faults, which is left
 * placed as chosen. 0 or -errno; then the report says PLACE_BLOCKED, which
 * always works.
 */
int placement_calibrate(struct placement_report *r, bool may_share,
			struct wakeful *w);

/* What is best where a fault took so long; 0: not to be had. */
enum placement placement_choose(const uint64_t ticks[PLACEMENTS]);

/* For how long it may pay to poll before blocking (spin.h), by the same. */
static inline uint64_t placement_polls(const struct placement_report *r)
{
	uint64_t woken = r->ticks[PLACE_BLOCKED];

	return r->choice == PLACE_SPIN && woken > r->ticks[PLACE_SPIN]
		       ? woken - r->ticks[PLACE_SPIN]
		       : 0;
}

/* Let the calling thread run on @cpu only. */
void placement_pin(int cpu);

#endif
