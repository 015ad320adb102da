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
 * own faults it saves. A large frame has no such short cut: it is taken, filled
 * through the alias by a haul of its own, and then mapped.
 */
#ifndef EPT_HAUL_H
#define EPT_HAUL_H

#include "ept/state.h"

/* A frame that comes in. */
struct arrival {
	gfn_t gfn; /* of the frame */
	frame_t frame;
	bool in_memory; /* its bytes are in the frame */
	struct pte *from; /* the entries of its pages before */
	struct pte to; /* and its own once mapped */
	enum trace_source source;
	bool ahead; /* not what was touched */
	int error;
	gfn_t failed; /* the page that could not be had */
};

/* Stored pages that are asked for together, so that a tier can queue them. */
struct request {
	unsigned n;
	struct arrival *of[TIER_BATCH];
	struct swap_io io[TIER_BATCH];
};

struct haul {
	bool used; /* since haul_rest */
	bool waited; /* the last taken one, for a frame: */
	gfn_t victim; /* who left last then */
	unsigned n;
	struct arrival *page;
	struct pte *from; /* room for what page[] points to */
	uint8_t *bytes; /* PAGE_SIZE for each page; not used for large ones */
	struct request *request;
};

enum haul_take {
	HAUL_TAKEN, /* it is the haul's last page now */
	HAUL_THERE, /* it is mapped */
	HAUL_MOVING, /* others are at it: wait until it settles */
	HAUL_NO_FRAME, /* none is free */
	HAUL_LOST /* it cannot be had: *error */
};

/* The arrival's @i-th page. */
static inline gfn_t arrival_gfn(const struct arrival *a, unsigned i)
{
	return (gfn_t){ a->gfn.v + i };
}

/* NULL: no memory. It takes haul_room() arrivals. */
struct haul *haul_new(void);
void haul_free(struct haul *h);
/* It is not needed for a while, and costs next to nothing meanwhile. */
void haul_rest(struct haul *h);
unsigned haul_room(const struct stage2 *s);

/* The lock is held. */
enum haul_take haul_take(struct stage2 *s, struct haul *h, gfn_t g, int *error);
/*
 * Take page @g, waiting for what that needs. 0: taken; 1: it is mapped;
 * -EFAULT no RAM there; -EHWPOISON; -ENOMEM; -ECANCELED stage 2 is stopping.
 */
int haul_take_waiting(struct stage2 *s, struct haul *h, gfn_t g);

/* The entry of the arrival's page @g before. */
struct pte haul_before(const struct arrival *a, gfn_t g);
/* Is the page that failed where it was, or have others taken it since? */
bool haul_is_back(const struct stage2 *s, const struct arrival *a);
/* The owner hears of the arrival's error, as tell_owner says. */
void haul_failed(struct stage2 *s, const struct arrival *a);

/* Fill pages [first, first + n) of the haul; each has its own error. No lock
 * is held. */
void haul_fill(struct stage2 *s, struct haul *h, unsigned first, unsigned n);
/* Map them, and wake who waits for them; a page whose error is set, or is then
 * (-ENOMEM), goes back where it was. The lock is held, and dropped
 * meanwhile. */
void haul_map(struct stage2 *s, struct haul *h, unsigned first, unsigned n);

/* Both, for who has nothing to do between them. As haul_map. */
void haul_bring(struct stage2 *s, struct haul *h, unsigned first, unsigned n);

#endif
