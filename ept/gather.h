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

/*
 * Call @discard (backing_unmap or backing_punch) on each maximal run of
 * gathered frames and empty @g. 0, or the first error; all runs are tried.
 */
int gather_flush(struct gather *g, struct backing *b,
		 int (*discard)(struct backing *b, frame_t first,
				uint64_t frames));

#endif
