/* SPDX-License-Identifier: MIT */
/*
 * The reclaim ladder: the ways in which a page's frame comes free, cheapest
 * first, and what each has given back since the start.
 */
#ifndef EPT_LADDER_H
#define EPT_LADDER_H

#include <stdint.h>

enum rung {
	RUNG_REPORTED_FREE, /* the guest said that it does not need it */
	RUNG_BALLOONED, /* the guest was asked for it */
	RUNG_ZERO, /* it held zeros: no bytes are stored */
	RUNG_CLEAN, /* equal to its stored copy: nothing is written */
	RUNG_SAME_FILLED, /* one word, repeated */
	RUNG_COMPRESSED, /* to a tier of RAM */
	RUNG_FILE,
	RUNG_REMOTE,
	RUNGS
};

struct ladder {
	struct rung_count {
		uint64_t pages, bytes; /* given back */
		uint64_t ticks; /* spent on it, TSC */
	} rung[RUNGS];
};

extern const char *const rung_name[RUNGS];

/* The rung of a page that went to the tier called @tier. */
enum rung rung_of_tier(const char *tier);

static inline void ladder_count(struct ladder *l, enum rung r, uint64_t bytes,
				uint64_t ticks)
{
	l->rung[r].pages++;
	l->rung[r].bytes += bytes;
	l->rung[r].ticks += ticks;
}

#endif
