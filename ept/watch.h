/* SPDX-License-Identifier: MIT */
/*
 * The watch queue: frames that the policy gave up, unmapped, on their way out
 * in the order in which they were given up. A touch on the way rescues a page;
 * its place in the queue is then skipped (a set says who is watched), so
 * taking a frame out of the middle costs nothing.
 */
#ifndef EPT_WATCH_H
#define EPT_WATCH_H

#include "ept/packed.h"

struct watch {
	struct packed frame; /* a ring of @size */
	uint64_t size, first, n; /* n: places in use, skipped ones included */
};

/* For up to @size of frames [0, @frames). False: no memory. */
static inline bool watch_init(struct watch *w, uint64_t size, uint64_t frames)
{
	*w = (struct watch){ .size = size };
	return packed_init(&w->frame, size, frames);
}

static inline void watch_free(struct watch *w)
{
	packed_free(&w->frame);
}

static inline bool watch_full(const struct watch *w)
{
	return w->n == w->size;
}

/* The @i-th of them, the first being 0. */
static inline frame_t watch_at(const struct watch *w, uint64_t i)
{
	return (frame_t){ packed_get(&w->frame, (w->first + i) % w->size) };
}

/* Put @f last; the queue is not full. */
static inline void watch_push(struct watch *w, frame_t f)
{
	packed_set(&w->frame, (w->first + w->n++) % w->size, f.v);
}

/* Take the first; the queue is not empty. */
static inline frame_t watch_pop(struct watch *w)
{
	frame_t f = watch_at(w, 0);

	w->first = (w->first + 1) % w->size;
	w->n--;
	return f;
}

#endif
