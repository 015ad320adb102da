/* SPDX-License-Identifier: MIT */
/*
 * Rings of small integers, doubly linked through one array of links that
 * several rings share. A ring is named by its head, a link that is no member:
 * heads come first. A number is a member of at most one ring at a time.
 *
 *     link[]   head --> 7 --> 3 --> 9 --> head
 *
 * A link of a non-member is all zero: a fresh array needs only its heads
 * initialised.
 */
#ifndef EPT_RING_H
#define EPT_RING_H

#include "ept/packed.h"

struct rings {
	struct packed
		link; /* of number i: 2i its next, 2i + 1 the one before */
};

static inline uint32_t ring_next(const struct rings *r, uint32_t m)
{
	return (uint32_t)packed_get(&r->link, UINT64_C(2) * m);
}

static inline uint32_t ring_prev(const struct rings *r, uint32_t m)
{
	return (uint32_t)packed_get(&r->link, UINT64_C(2) * m + 1);
}

static inline void ring_link(struct rings *r, uint32_t m, uint32_t next)
{
	packed_set(&r->link, UINT64_C(2) * m, next);
	packed_set(&r->link, UINT64_C(2) * next + 1, m);
}

/* For numbers [0, @numbers), the first @heads of them heads of empty rings.
 * False: too many, or no memory. */
static inline bool rings_init(struct rings *r, uint64_t numbers, uint32_t heads)
{
	*r = (struct rings){ 0 };
	if (numbers > UINT32_MAX ||
	    !packed_init(&r->link, 2 * numbers, numbers - 1))
		return false;
	for (uint32_t head = 0; head < heads; head++)
		ring_link(r, head, head);
	return true;
}

static inline void rings_free(struct rings *r)
{
	packed_free(&r->link);
}

static inline bool ring_empty(const struct rings *r, uint32_t head)
{
	return ring_next(r, head) == head;
}

/* The first member; the ring is not empty. */
static inline uint32_t ring_first(const struct rings *r, uint32_t head)
{
	return ring_next(r, head);
}

/* Is @m a member of some ring? */
static inline bool ring_holds(const struct rings *r, uint32_t m)
{
	return ring_next(r, ring_prev(r, m)) == m;
}

/* Make @m a member, right after @at: a member, or the head. */
static inline void ring_add_after(struct rings *r, uint32_t at, uint32_t m)
{
	assert(!ring_holds(r, m));
	ring_link(r, m, ring_next(r, at));
	ring_link(r, at, m);
}

static inline void ring_add_first(struct rings *r, uint32_t head, uint32_t m)
{
	ring_add_after(r, head, m);
}

static inline void ring_add_last(struct rings *r, uint32_t head, uint32_t m)
{
	ring_add_after(r, ring_prev(r, head), m);
}

static inline void ring_remove(struct rings *r, uint32_t m)
{
	assert(ring_holds(r, m));
	ring_link(r, ring_prev(r, m), ring_next(r, m));
	packed_set(&r->link, UINT64_C(2) * m, 0);
	packed_set(&r->link, UINT64_C(2) * m + 1, 0);
}

#endif
