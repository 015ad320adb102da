/* SPDX-License-Identifier: MIT */
/*
 * Rings of small integers, doubly linked through one array of links that
 * several rings may share. A ring is named by its head, a link that is no
 * member. A number is a member of at most one ring at a time.
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

struct ring {
	uint32_t next, prev;
};

static inline void ring_init(struct ring *link, uint32_t head)
{
	link[head] = (struct ring){ head, head };
}

static inline bool ring_empty(const struct ring *link, uint32_t head)
{
	return link[head].next == head;
}

/* The first member; the ring is not empty. */
static inline uint32_t ring_first(const struct ring *link, uint32_t head)
{
	return link[head].next;
}

/* Is @m a member of some ring? */
static inline bool ring_holds(const struct ring *link, uint32_t m)
{
	return link[link[m].prev].next == m;
}

/* Make @m a member, right after @at: a member, or the head. */
static inline void ring_add_after(struct ring *link, uint32_t at, uint32_t m)
{
	assert(!ring_holds(link, m));
	link[m] = (struct ring){ .next = link[at].next, .prev = at };
	link[link[at].next].prev = m;
	link[at].next = m;
}

static inline void ring_add_first(struct ring *link, uint32_t head, uint32_t m)
{
	ring_add_after(link, head, m);
}

static inline void ring_add_last(struct ring *link, uint32_t head, uint32_t m)
{
	ring_add_after(link, link[head].prev, m);
}

static inline void ring_remove(struct ring *link, uint32_t m)
{
	assert(ring_holds(link, m));
	link[link[m].prev].next = link[m].next;
	link[link[m].next].prev = link[m].prev;
	link[m] = (struct ring){ 0 };
}

#endif
