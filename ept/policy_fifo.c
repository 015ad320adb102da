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

#include "ept/policy.h"
#include "ept/ring.h"

#define HEAD 0 /* frame f is link f + 1 */

struct policy {
	uint64_t frames;
	struct ring link[];
};

static uint32_t link_of(const struct policy *p, frame_t f)
{
	assert(f.v < p->frames);
	return (uint32_t)f.v + 1;
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
	ring_init(p->link, HEAD);
	return p;
}

static void destroy(struct policy *p)
{
	free(p);
}

static void insert(struct policy *p, frame_t f)
{
	ring_add_last(p->link, HEAD, link_of(p, f));
}

/* A reference does not change who came first. */
static void touch(struct policy *p, frame_t f)
{
	assert(ring_holds(p->link, link_of(p, f)));
	(void)p;
	(void)f;
}

static void take_out(struct policy *p, frame_t f)
{
	ring_remove(p->link, link_of(p, f));
}

static struct choice choose(struct policy *p)
{
	uint32_t oldest = ring_first(p->link, HEAD);

	if (ring_empty(p->link, HEAD))
		return (struct choice){ .verdict = VERDICT_NONE };
	ring_remove(p->link, oldest);
	return (struct choice){ VERDICT_EVICT, { oldest - 1 } };
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
