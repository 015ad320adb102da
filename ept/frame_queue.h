/* SPDX-License-Identifier: MIT */
/*
 * A queue of frames, for policies: each frame is in it once or not at all, and
 * can be taken out of its middle. Nothing allocates after init.
 */
#ifndef EPT_FRAME_QUEUE_H
#define EPT_FRAME_QUEUE_H

#include <stdlib.h>

#include "ept/addr.h"
#include "ept/ring.h"

#define FRAME_QUEUE_HEAD 0 /* frame f is f + 1 */

struct frame_queue {
	uint64_t frames;
	struct rings rings;
};

/* For frames [0, @frames), empty. False: too many, or no memory. */
static inline bool frame_queue_init(struct frame_queue *q, uint64_t frames)
{
	q->frames = frames;
	return rings_init(&q->rings, frames + 1, 1);
}

static inline void frame_queue_free(struct frame_queue *q)
{
	rings_free(&q->rings);
}

static inline uint32_t frame_queue_link(const struct frame_queue *q, frame_t f)
{
	assert(f.v < q->frames);
	return (uint32_t)f.v + 1;
}

static inline bool frame_queue_holds(const struct frame_queue *q, frame_t f)
{
	return ring_holds(&q->rings, frame_queue_link(q, f));
}

static inline void frame_queue_push(struct frame_queue *q, frame_t f)
{
	ring_add_last(&q->rings, FRAME_QUEUE_HEAD, frame_queue_link(q, f));
}

/* Push @f where @hand will come last, after a whole round. */
static inline void frame_queue_push_behind(struct frame_queue *q, uint32_t hand,
					   frame_t f)
{
	ring_add_last(&q->rings, hand, frame_queue_link(q, f));
}

static inline void frame_queue_remove(struct frame_queue *q, frame_t f)
{
	ring_remove(&q->rings, frame_queue_link(q, f));
}

/*
 * A hand that goes round: a link, at which it will look next. At the head it
 * looks at the frame that was pushed first. The queue is not empty.
 */
static inline frame_t frame_queue_look(const struct frame_queue *q,
				       uint32_t *hand)
{
	if (*hand == FRAME_QUEUE_HEAD)
		*hand = ring_first(&q->rings, FRAME_QUEUE_HEAD);
	return (frame_t){ *hand - 1 };
}

/* It goes on to the next one. */
static inline void frame_queue_go_on(const struct frame_queue *q,
				     uint32_t *hand)
{
	*hand = ring_next(&q->rings, *hand);
}

/* Take @f out; a hand that was to look at it goes on. */
static inline void frame_queue_remove_at(struct frame_queue *q, frame_t f,
					 uint32_t *hand)
{
	if (*hand == frame_queue_link(q, f))
		frame_queue_go_on(q, hand);
	frame_queue_remove(q, f);
}

static inline bool frame_queue_empty(const struct frame_queue *q)
{
	return ring_empty(&q->rings, FRAME_QUEUE_HEAD);
}

/* Take the frame that was pushed first. False: the queue is empty. */
static inline bool frame_queue_pop(struct frame_queue *q, frame_t *f)
{
	uint32_t first = ring_first(&q->rings, FRAME_QUEUE_HEAD);

	if (frame_queue_empty(q))
		return false;
	ring_remove(&q->rings, first);
	f->v = first - 1;
	return true;
}

#endif
