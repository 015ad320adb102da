/* SPDX-License-Identifier: MIT */
/*
 * A haul: pages that one thread brings in together, for ept/ only. Each page
 * goes three steps, the first and the last under the lock:
 *
 *   take   it becomes arriving, with a frame of its own; or, when its bytes
 *          are in memory, busy
 *   fill   its pager's bytes come into the haul's own buffer   (no lock)
 *   map    the table says that it is mapped, then the host does: new frames
 *          with those bytes, new frames of zeros, or the frame that is there
 *
 * The bytes of a frame are never seen half filled: it comes into being with
 * them (UFFDIO_COPY). That costs half of filling it through the alias, whose
 * own faults it saves.
 */
#ifndef EPT_HAUL_H
#define EPT_HAUL_H

#include "ept/state.h"

struct haul {
	unsigned n;
	struct arrival {
		gfn_t gfn;
		frame_t frame;
		struct pte from; /* its entry before */
		struct pte to; /* and once mapped */
		enum trace_source source;
		bool ahead; /* not what was touched */
		int error;
	} page[TIER_BATCH];
	uint8_t *bytes; /* PAGE_SIZE for each page */
};

enum haul_take {
	HAUL_TAKEN, /* it is the haul's last page now */
	HAUL_THERE, /* it is mapped */
	HAUL_MOVING, /* others are at it: wait until it settles */
	HAUL_NO_FRAME, /* none is free */
	HAUL_LOST /* it cannot be had: *error */
};

/* NULL: no memory. For up to @pages <= TIER_BATCH pages. */
struct haul *haul_new(unsigned pages);
void haul_free(struct haul *h);

/* The lock is held. */
enum haul_take haul_take(struct stage2 *s, struct haul *h, gfn_t g, int *error);
/*
 * Take page @g, waiting for what that needs. 0: taken; 1: it is mapped;
 * -EFAULT no RAM there; -EHWPOISON; -ENOMEM; -ECANCELED stage 2 is stopping.
 */
int haul_take_waiting(struct stage2 *s, struct haul *h, gfn_t g);

/* Fill pages [first, first + n) of the haul; each has its own error. No lock
 * is held. */
void haul_fill(struct stage2 *s, struct haul *h, unsigned first, unsigned n);
/* Map them, and wake who waits for them; a page whose error is set, or is then
 * (-ENOMEM), goes back where it was. The lock is held, and dropped
 * meanwhile. */
void haul_map(struct stage2 *s, struct haul *h, unsigned first, unsigned n);

#endif
