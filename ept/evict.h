/* SPDX-License-Identifier: MIT */
/* A batch of pages on their way out, for ept/ only: see evict.c. */
#ifndef EPT_EVICT_H
#define EPT_EVICT_H

#include "ept/state.h"

enum fate { FATE_STAYS, FATE_ZERO, FATE_CLEAN, FATE_STORED };

struct victim {
	gfn_t gfn;
	frame_t frame;
	bool has_copy;
	slot_t copy; /* its stored copy, if it has one */
	enum fate fate;
	slot_t slot; /* FATE_STORED: its new copy */
	int error;
	uint64_t ticks; /* spent on it */
};

struct batch {
	unsigned n;
	struct victim victim[TIER_BATCH];
	uint8_t *bytes; /* TIER_BATCH pages: what the victims' frames hold */
};

/* An empty batch with its buffer. NULL: no memory. */
struct batch *evict_batch_new(void);
void evict_batch_free(struct batch *b);

/* The next three with the lock and `evicting` held. */

/* May the page in frame @f be unmapped or taken now? */
bool evict_movable(const struct stage2 *s, frame_t f);
/* The page of @g, unmapped and neither known to the policy nor watched, is to
 * leave with @b. */
void evict_take(struct stage2 *s, struct batch *b, gfn_t g);
/* Unmap the page of @g if it is mapped; its bytes stay. */
void evict_age(struct stage2 *s, gfn_t g);

/*
 * Have the host unmap what the table no longer maps: a page that was unmapped
 * before this began is, once it has returned, or else is mapped again. No lock
 * held but `evicting` perhaps. Any thread; cheapest from one that serves a
 * fault, whose vCPU stands still and needs no TLB shootdown.
 */
void evict_flush(struct stage2 *s);

/* With `evicting` held, not the lock: free the frames of all of @b, which are
 * flushed, that nobody touches meanwhile and whose bytes are safe elsewhere.
 * Returns how many came free. */
unsigned evict_run(struct stage2 *s, struct batch *b);

#endif
