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

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "ept/zeroed.h"

/* Bits of links 2i and 2i + 1, the next and the previous of number i: no more
 * than the largest number has. In arrays of their own, not packed tighter, for
 * then each change would wait for the one before. */
struct rings {
	uint64_t links;
	uint16_t *low; /* bits 0 to 15 */
	uint8_t *mid; /* 16 to 23, or NULL */
	uint8_t *top; /* 24 to 31, or NULL */
};

static inline uint32_t ring_get(const struct rings *r, uint64_t link)
{
	uint32_t m = r->low[link];

	if (r->mid)
		m |= (uint32_t)r->mid[link] << 16;
	if (r->top)
		m |= (uint32_t)r->top[link] << 24;
	return m;
}

static inline void ring_put(struct rings *r, uint64_t link, uint32_t m)
{
	r->low[link] = (uint16_t)m;
	if (r->mid)
		r->mid[link] = (uint8_t)(m >> 16);
	if (r->top)
		r->top[link] = (uint8_t)(m >> 24);
}

static inline uint32_t ring_next(const struct rings *r, uint32_t m)
{
	return ring_get(r, UINT64_C(2) * m);
}

static inline uint32_t ring_prev(const struct rings *r, uint32_t m)
{
	return ring_get(r, UINT64_C(2) * m + 1);
}

/* @next comes after @m. */
static inline void ring_join(struct rings *r, uint32_t m, uint32_t next)
{
	ring_put(r, UINT64_C(2) * m, next);
	ring_put(r, UINT64_C(2) * next + 1, m);
}

static inline void rings_free(struct rings *r)
{
	zeroed_array_free(r->low, r->links * sizeof(r->low[0]));
	zeroed_array_free(r->mid, r->links);
	zeroed_array_free(r->top, r->links);
}

/* For numbers [0, @numbers), the first @heads of them heads of empty rings.
 * False: too many, or no memory; rings_free all the same. */
static inline bool rings_init(struct rings *r, uint64_t numbers, uint32_t heads)
{
	const uint64_t last = numbers - 1;

	*r = (struct rings){ .links = 2 * numbers };
	if (last >= UINT32_MAX)
		return false;
	r->low = zeroed_array_new(r->links * sizeof(r->low[0]));
	if (last >> 16)
		r->mid = zeroed_array_new(r->links);
	if (last >> 24)
		r->top = zeroed_array_new(r->links);
	if (!r->low || (last >> 16 && !r->mid) || (last >> 24 && !r->top))
		return false;
	for (uint32_t head = 0; head < heads; head++)
		ring_join(r, head, head);
	return true;
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
	ring_join(r, m, ring_next(r, at));
	ring_join(r, at, m);
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
	ring_join(r, ring_prev(r, m), ring_next(r, m));
	ring_put(r, UINT64_C(2) * m, 0);
	ring_put(r, UINT64_C(2) * m + 1, 0);
}

#endif
