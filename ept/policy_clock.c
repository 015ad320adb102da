/* SPDX-License-Identifier: MIT */
/*
 * CLOCK, or second chance (Corbato 1968): FIFO that looks once before it
 * throws away.
 *
 * Theory. Frames stand on a ring under one hand. Under the hand, a frame that
 * was referenced since the hand last passed loses its reference bit and stays
 * for a round; one that was not is evicted. It approximates LRU at the cost of
 * FIFO: a frame in use once a round is never evicted. Our reference bit is
 * "mapped": clearing it is VERDICT_AGE, which unmaps the frame, and a minor
 * fault sets it again. A newcomer starts referenced, and stands behind the
 * hand, a whole round away. When everything is in use the hand ages a whole
 * round before it evicts, and CLOCK is FIFO with extra faults.
 */
#include <stdlib.h>

#include "ept/frame_queue.h"
#include "ept/policy.h"

struct policy {
	struct frame_queue ring; /* its first frame is under the hand */
	uint64_t *referenced; /* a bit a frame: may be mapped */
};

static bool is_referenced(const struct policy *p, frame_t f)
{
	return p->referenced[f.v / 64] >> f.v % 64 & 1;
}

static void set_referenced(struct policy *p, frame_t f, bool on)
{
	uint64_t bit = UINT64_C(1) << f.v % 64;

	if (on)
		p->referenced[f.v / 64] |= bit;
	else
		p->referenced[f.v / 64] &= ~bit;
}

static void destroy(struct policy *p)
{
	frame_queue_free(&p->ring);
	free(p->referenced);
	free(p);
}

static struct policy *create(uint64_t frames)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->referenced = calloc(frames / 64 + 1, sizeof(uint64_t));
	if (!frame_queue_init(&p->ring, frames) || !p->referenced) {
		destroy(p);
		return NULL;
	}
	return p;
}

static void insert(struct policy *p, frame_t f)
{
	frame_queue_push(&p->ring, f);
	set_referenced(p, f, true);
}

static void touch(struct policy *p, frame_t f)
{
	assert(frame_queue_holds(&p->ring, f));
	set_referenced(p, f, true);
}

static void take_out(struct policy *p, frame_t f)
{
	frame_queue_remove(&p->ring, f);
}

static struct choice choose(struct policy *p)
{
	frame_t f;

	if (!frame_queue_pop(&p->ring, &f))
		return (struct choice){ .verdict = VERDICT_NONE };
	if (!is_referenced(p, f))
		return (struct choice){ VERDICT_EVICT, f };
	set_referenced(p, f, false);
	frame_queue_push(&p->ring, f);
	return (struct choice){ VERDICT_AGE, f };
}

const struct policy_ops policy_clock = {
	.name = "clock",
	.create = create,
	.destroy = destroy,
	.insert = insert,
	.touch = touch,
	.remove = take_out,
	.choose = choose,
};
