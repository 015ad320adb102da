/* SPDX-License-Identifier: MIT */
/*
 * FIFO: the frame that came first leaves first.
 *
 * Theory. FIFO looks at arrivals only, so it needs no reference information
 * and never unmaps a frame just to watch it: a page costs one fault per stay.
 * It evicts hot pages as readily as cold ones, which is its price, and more
 * memory can even mean more faults (Belady, Nelson and Shedler 1969: 12
 * references, 9 faults with 3 frames, 10 with 4). It is here as the baseline
 * that every other policy must beat, and because its victims are known in
 * advance: tests and lessons can count on them.
 */
#include <stdlib.h>

#include "ept/frame_queue.h"
#include "ept/policy.h"

struct policy {
	struct frame_queue queue;
};

static struct policy *create(uint64_t frames)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p && !frame_queue_init(&p->queue, frames)) {
		free(p);
		return NULL;
	}
	return p;
}

static void destroy(struct policy *p)
{
	frame_queue_free(&p->queue);
	free(p);
}

static void insert(struct policy *p, frame_t f)
{
	frame_queue_push(&p->queue, f);
}

/* A reference does not change who came first. */
static void touch(struct policy *p, frame_t f)
{
	assert(frame_queue_holds(&p->queue, f));
	(void)p;
	(void)f;
}

static void take_out(struct policy *p, frame_t f)
{
	frame_queue_remove(&p->queue, f);
}

static struct choice choose(struct policy *p)
{
	frame_t f;

	if (!frame_queue_pop(&p->queue, &f))
		return (struct choice){ .verdict = VERDICT_NONE };
	return (struct choice){ VERDICT_EVICT, f };
}

const struct policy_ops policy_fifo = {
	.name = "fifo",
	.create = create,
	.destroy = destroy,
	.insert = insert,
	.touch = touch,
	.remove = take_out,
	.choose = choose,
};
