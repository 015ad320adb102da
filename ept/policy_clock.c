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
#include "ept/frame_queue.h"
#include "ept/frame_set.h"
#include "ept/policy.h"

struct clock {
	struct policy base;
	struct frame_queue ring;
	struct frame_set referenced;
	uint32_t hand; /* a link of the ring */
};

static struct clock *clock_of(struct policy *p)
{
	return (struct clock *)p;
}

static bool init(struct policy *base, uint64_t frames)
{
	struct clock *p = clock_of(base);

	p->hand = FRAME_QUEUE_HEAD;
	return frame_queue_init(&p->ring, frames) &&
	       frame_set_init(&p->referenced, frames);
}

static void fini(struct policy *base)
{
	struct clock *p = clock_of(base);

	frame_queue_free(&p->ring);
	frame_set_free(&p->referenced);
}

static bool holds(struct policy *p, frame_t f)
{
	return frame_queue_holds(&clock_of(p)->ring, f);
}

static void refer(struct policy *base, frame_t f)
{
	struct clock *p = clock_of(base);

	if (holds(base, f)) {
		frame_set_add(&p->referenced, f);
		return;
	}
	frame_queue_push_behind(&p->ring, p->hand, f);
	frame_set_remove(&p->referenced, f);
}

static void forget(struct policy *base, frame_t f)
{
	struct clock *p = clock_of(base);

	if (holds(base, f))
		frame_queue_remove_at(&p->ring, f, &p->hand);
}

static bool choose(struct policy *base, const frame_t *coming, frame_t *victim)
{
	struct clock *p = clock_of(base);

	(void)coming;
	if (frame_queue_empty(&p->ring))
		return false;
	for (;;) {
		*victim = frame_queue_look(&p->ring, &p->hand);
		if (!frame_set_has(&p->referenced, *victim))
			break;
		frame_set_remove(&p->referenced, *victim);
		frame_queue_go_on(&p->ring, &p->hand);
	}
	/* The hand goes on: a newcomer stands behind it. */
	frame_queue_remove_at(&p->ring, *victim, &p->hand);
	return true;
}

const struct policy_ops policy_clock = {
	.name = "clock",
	.size = sizeof(struct clock),
	.init = init,
	.fini = fini,
	.refer = refer,
	.holds = holds,
	.remove = forget,
	.choose = choose,
};
