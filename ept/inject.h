/* SPDX-License-Identifier: MIT */
/*
 * Injection: a tier that stands before another one and makes it slow, failing,
 * full or silent, as it is told to while pages go through it. What it does to a
 * page is what a bad medium would do; no byte of one is ever wrong.
 *
 * Chance comes from a seed: with the same one, the same calls in the same order
 * meet the same fate. Nothing injected costs one relaxed load a call.
 */
#ifndef EPT_INJECT_H
#define EPT_INJECT_H

#include <stdbool.h>

#include "ept/tier.h"

/* How long a call (up to TIER_BATCH pages, as one round trip) waits first. */
enum inject_delay {
	INJECT_NONE,
	INJECT_FIXED, /* delay_us */
	INJECT_EXPONENTIAL, /* delay_us on average */
	INJECT_PARETO, /* delay_us at least; a long tail by shape */
	INJECT_BIMODAL, /* slow_us for a slow_share of all, else delay_us */
	INJECT_DELAYS
};

/* As scenarios and the control API call them. */
extern const char *const inject_delay_name[INJECT_DELAYS];

#define INJECT_MOST_US	10000000u /* the longest wait of a call */
#define INJECT_STALL_US 30000000u /* a stall then ends in -ETIMEDOUT */

struct injection {
	enum inject_delay delay;
	double delay_us, shape, slow_us, slow_share; /* share: 0 to 1 */
	double error_rate; /* of pages, that fail with -EIO: 0 to 1 */
	bool full; /* no store finds room */
	bool stall; /* no call comes back before this is over */
	uint64_t seed;
	uint64_t lease_ms; /* everything ends then by itself; 0: never */
};

/* Pages, but for delayed and stalled, which are calls. */
struct inject_counters {
	uint64_t delayed, delayed_us, stalled, failed, refused;
};

/* What is wrong with @what, in words; NULL: nothing. */
const char *injection_check(const struct injection *what);

/* A random number in (0, 1], the next after *chance. */
double inject_draw(uint64_t *chance);

/* How long a call waits, and which of its @n pages fail (a bit each): *chance
 * is the state of the random numbers, which begins as the seed. */
uint64_t injection_delay_us(const struct injection *i, uint64_t *chance);
uint64_t injection_failing(const struct injection *i, uint64_t *chance,
			   unsigned n);

/* A tier before @inner, which it owns from now on. 0 or -ENOMEM: then @inner
 * is still the caller's. */
int tier_inject_create(struct tier **out, struct tier *inner);

/*
 * From now on @what, which passed injection_check, happens to @t, a tier of
 * tier_inject_create's; a zeroed one ends it all. Who waits by what was said
 * before is let go on. Any thread.
 */
void tier_inject(struct tier *t, const struct injection *what);
void tier_injected(struct tier *t, struct injection *now,
		   struct inject_counters *c);

#endif
