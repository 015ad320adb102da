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

#include "ept/policy.h"
#include "ept/ring.h"

#define HAND 0 /* the next frame is first; frame f is link f + 1 */

struct policy {
	uint64_t frames;
	uint64_t *referenced; /* a bit a frame: may be mapped */
	struct ring link[];
};

static uint32_t link_of(const struct policy *p, frame_t f)
{
	assert(f.v < p->frames);
	return (uint32_t)f.v + 1;
}

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

static struct policy *create(uint64_t frames)
{
	struct policy *p;

	if (frames >= UINT32_MAX)
		return NULL;
	p = calloc(1, sizeof(*p) + (frames + 1) * sizeof(p->link[0]));
	if (!p)
		return NULL;
	p->frames = frames;
	p->referenced = calloc(frames / 64 + 1, sizeof(uint64_t));
	if (!p->referenced) {
		free(p);
		return NULL;
	}
	ring_init(p->link, HAND);
	return p;
}

static void destroy(struct policy *p)
{
	free(p->referenced);
	free(p);
}

static void insert(struct policy *p, frame_t f)
{
	ring_add_last(p->link, HAND, link_of(p, f));
	set_referenced(p, f, true);
}

static void touch(struct policy *p, frame_t f)
{
	assert(ring_holds(p->link, link_of(p, f)));
	set_referenced(p, f, true);
}

static void take_out(struct policy *p, frame_t f)
{
	ring_remove(p->link, link_of(p, f));
}

static struct choice choose(struct policy *p)
{
	uint32_t under_hand = ring_first(p->link, HAND);
	frame_t f = { under_hand - 1 };

	if (ring_empty(p->link, HAND))
		return (struct choice){ .verdict = VERDICT_NONE };
	ring_remove(p->link, under_hand);
	if (!is_referenced(p, f))
		return (struct choice){ VERDICT_EVICT, f };
	set_referenced(p, f, false);
	ring_add_last(p->link, HAND, under_hand);
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
