/* SPDX-License-Identifier: MIT */
/*
 * The watch queue: frames that the policy gave up, unmapped, on their way out
 * in the order in which they were given up. A touch on the way rescues a page;
 * its place in the queue is then skipped (a set says who is watched), so
 * taking a frame out of the middle costs nothing.
 */
#ifndef EPT_WATCH_H
#define EPT_WATCH_H

#include <stdlib.h>

#include "ept/addr.h"

struct watch {
	uint32_t *frame; /* a ring of @size */
	uint32_t size, first, n; /* n: places in use, skipped ones included */
};

/* For up to @size frames. False: no memory. */
static inline bool watch_init(struct watch *w, uint32_t size)
{
	*w = (struct watch){ .size = size };
	w->frame = malloc(size * sizeof(w->frame[0]));
	return w->frame;
}

static inline void watch_free(struct watch *w)
{
	free(w->frame);
}

static inline bool watch_full(const struct watch *w)
{
	return w->n == w->size;
}

/* Put @f last; the queue is not full. */
static inline void watch_push(struct watch *w, frame_t f)
{
	w->frame[(w->first + w->n++) % w->size] = (uint32_t)f.v;
}

/* Take the first; the queue is not empty. */
static inline frame_t watch_pop(struct watch *w)
{
	uint32_t f = w->frame[w->first];

	w->first = (w->first + 1) % w->size;
	w->n--;
	return (frame_t){ f };
}

#endif
