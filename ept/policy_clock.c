/* SPDX-License-Identifier: MIT */
/*
 * CLOCK, or second chance (Corbato, "A Paging Experiment with the Multics
 * System", 1968): FIFO that looks once before it throws away.
 *
 * Theory. Frames stand on a ring under one hand, each with a reference bit,
 * which a touch sets. Under the hand, a frame whose bit is set loses it and
 * stays for a round; one whose bit is clear leaves. A newcomer starts clear
 * and stands behind the hand, a whole round away. It approximates LRU at the
 * cost of FIFO, because a hit moves nothing; a frame in use once a round is
 * never evicted. When everything is in use the hand clears a whole round
 * before it evicts, and CLOCK is FIFO again.
 */
#include <stdlib.h>

#include "ept/frame_queue.h"
#include "ept/frame_set.h"
#include "ept/policy.h"

struct clock {
	struct policy base;
	struct frame_queue ring; /* its first frame is under the hand */
	struct frame_set referenced;
};

static struct clock *clock_of(struct policy *p)
{
	return (struct clock *)p;
}

static void destroy(struct policy *p)
{
	frame_queue_free(&clock_of(p)->ring);
	frame_set_free(&clock_of(p)->referenced);
	free(p);
}

static struct policy *create(uint64_t frames, uint64_t capacity)
{
	struct clock *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->base = (struct policy){ &policy_clock, capacity };
	if (!frame_queue_init(&p->ring, frames) ||
	    !frame_set_init(&p->referenced, frames)) {
		destroy(&p->base);
		return NULL;
	}
	return &p->base;
}

static void insert(struct policy *p, frame_t f)
{
	frame_queue_push(&clock_of(p)->ring, f);
	frame_set_remove(&clock_of(p)->referenced, f);
}

static void touch(struct policy *p, frame_t f)
{
	assert(frame_queue_holds(&clock_of(p)->ring, f));
	frame_set_add(&clock_of(p)->referenced, f);
}

static void forget(struct policy *p, frame_t f)
{
	if (frame_queue_holds(&clock_of(p)->ring, f))
		frame_queue_remove(&clock_of(p)->ring, f);
}

static bool choose(struct policy *base, const frame_t *coming, frame_t *victim)
{
	struct clock *p = clock_of(base);

	(void)coming;
	while (frame_queue_pop(&p->ring, victim)) {
		if (!frame_set_has(&p->referenced, *victim))
			return true;
		frame_set_remove(&p->referenced, *victim);
		frame_queue_push(&p->ring, *victim);
	}
	return false;
}

const struct policy_ops policy_clock = {
	.name = "clock",
	.create = create,
	.destroy = destroy,
	.insert = insert,
	.touch = touch,
	.remove = forget,
	.choose = choose,
};
