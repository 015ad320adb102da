/* SPDX-License-Identifier: MIT */
/* A batch of pages on their way out, for ept/ only: see evict.c. */
#ifndef EPT_EVICT_H
#define EPT_EVICT_H

#include "ept/state.h"

enum fate { FATE_STAYS, FATE_ZERO, FATE_CLEAN, FATE_STORED };

struct victim {
	gfn_t gfn;
	frame_t frame;
	enum fate fate;
	slot_t slot; /* FATE_STORED: its new copy */
	int error;
};

struct batch {
	unsigned n;
	struct victim victim[TIER_BATCH];
};

/* The first three with the lock held; all with `evicting` held. */

/* May the page in frame @f be unmapped or taken now? */
bool evict_movable(const struct stage2 *s, frame_t f);
/* The page of @g, in memory and out of the policy, is to leave with @b. */
void evict_take(struct stage2 *s, struct batch *b, gfn_t g);
/* Unmap the page of @g if it is mapped; its bytes stay. */
void evict_age(struct stage2 *s, gfn_t g);

/* Without the lock: unmap what was aged and taken, and free the frames of all
 * of @b that nobody touches meanwhile and whose bytes are safe elsewhere.
 * Returns how many frames came free. */
unsigned evict_run(struct stage2 *s, struct batch *b);

#endif
