/* SPDX-License-Identifier: MIT */
/*
 * Frames gathered for one discard each: sorted and merged into ranges first,
 * because a call and a TLB flush a range is ten times cheaper than one a page.
 */
#ifndef EPT_GATHER_H
#define EPT_GATHER_H

#include "ept/backing.h"

#define GATHER_MAX 256

struct gather {
	unsigned n;
	frame_t frame[GATHER_MAX];
};

static inline void gather_add(struct gather *g, frame_t f)
{
	g->frame[g->n++] = f;
}

bool gather_holds(const struct gather *g, frame_t f);
/* Sort what was gathered by address. */
void gather_sort(struct gather *g);
/* How many frames from the @i-th on are one after the other. */
unsigned gather_run(const struct gather *g, unsigned i);

#endif
