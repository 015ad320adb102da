/* SPDX-License-Identifier: MIT */
/*
 * FIFO: the frame that came first leaves first.
 *
 * Theory. FIFO looks at arrivals only: it needs no reference information and a
 * hit costs nothing at all. It evicts hot pages as readily as cold ones, which
 * is its price, and more memory can even mean more faults (Belady, Nelson and
 * Shedler, CACM 1969: 12 references, 9 faults with 3 frames, 10 with 4). It is
 * here as the baseline that every other policy must beat, and because its
 * victims are known in advance: tests and lessons can count on them.
 *
 *     a miss --> newest . . . oldest --> choose
 */
#include "ept/frame_queue.h"
#include "ept/policy.h"

struct fifo {
	struct policy base;
	struct frame_queue queue;
};

static struct fifo *fifo_of(struct policy *p)
{
	return (struct fifo *)p;
}

static bool init(struct policy *p, uint64_t frames)
{
	return frame_queue_init(&fifo_of(p)->queue, frames);
}

static void fini(struct policy *p)
{
	frame_queue_free(&fifo_of(p)->queue);
}

static bool holds(struct policy *p, frame_t f)
{
	return frame_queue_holds(&fifo_of(p)->queue, f);
}

/* A hit does not change who came first. */
static void refer(struct policy *p, frame_t f)
{
	if (!holds(p, f))
		frame_queue_push(&fifo_of(p)->queue, f);
}

static void forget(struct policy *p, frame_t f)
{
	if (holds(p, f))
		frame_queue_remove(&fifo_of(p)->queue, f);
}

static bool choose(struct policy *p, const frame_t *coming, frame_t *victim)
{
	(void)coming;
	return frame_queue_pop(&fifo_of(p)->queue, victim);
}

const struct policy_ops policy_fifo = {
	.name = "fifo",
	.size = sizeof(struct fifo),
	.init = init,
	.fini = fini,
	.refer = refer,
	.holds = holds,
	.remove = forget,
	.choose = choose,
};
