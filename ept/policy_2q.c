/* SPDX-License-Identifier: MIT */
/*
 * 2Q, the full version (Johnson and Shasha, VLDB 1994): a page must prove
 * itself before it may stay.
 *
 * Theory. LRU believes every first reference. 2Q puts a newcomer into A1in, a
 * FIFO: references while it is there are taken for one burst (correlated) and
 * change nothing. What falls out of A1in is remembered, without its bytes, in
 * A1out. Only a page that misses while it is remembered was used again after
 * its burst, and enters Am, an LRU. So one scan passes through A1in and leaves
 * Am alone. A1in has a quarter of the frames (Kin), A1out remembers as many
 * pages as half of them (Kout).
 *
 *     new --> A1in --> A1out --> forgotten        Am --> out, not remembered
 *                        '--- referenced again --> ^ '- touch -^
 */
#include "ept/frame_lists.h"
#include "ept/policy.h"

enum { A1IN, A1OUT, AM };

struct two_queues {
	struct policy base;
	struct frame_lists lists;
	/* A frame of A1out for which room is being made: its place there is
	 * given up already, and Am waits for it. */
	bool expected;
	frame_t expects;
};

static struct two_queues *queues_of(struct policy *p)
{
	return (struct two_queues *)p;
}

static uint64_t part(uint64_t frames)
{
	return frames ? frames : 1;
}

static bool init(struct policy *p, uint64_t frames)
{
	return frame_lists_init(&queues_of(p)->lists, frames);
}

static void fini(struct policy *p)
{
	frame_lists_free(&queues_of(p)->lists);
}

static bool is_resident(const struct two_queues *p, frame_t f)
{
	unsigned list = frame_lists_of(&p->lists, f);

	return list == A1IN || list == AM;
}

static bool holds(struct policy *p, frame_t f)
{
	return is_resident(queues_of(p), f) &&
	       frame_lists_linked(&queues_of(p)->lists, f);
}

static void insert(struct policy *base, frame_t f)
{
	struct two_queues *p = queues_of(base);
	bool proven = frame_lists_of(&p->lists, f) == A1OUT ||
		      (p->expected && p->expects.v == f.v);

	p->expected = false;
	frame_lists_move(&p->lists, proven ? AM : A1IN, f);
}

static void touch(struct policy *p, frame_t f)
{
	if (frame_lists_of(&queues_of(p)->lists, f) == AM)
		frame_lists_move(&queues_of(p)->lists, AM, f);
}

static void refer(struct policy *p, frame_t f)
{
	if (is_resident(queues_of(p), f))
		touch(p, f);
	else
		insert(p, f);
}

static void forget(struct policy *p, frame_t f)
{
	if (frame_lists_of(&queues_of(p)->lists, f) != LIST_NONE)
		frame_lists_remove(&queues_of(p)->lists, f);
}

static void expect(struct two_queues *p, frame_t f)
{
	if (frame_lists_of(&p->lists, f) != A1OUT)
		return;
	frame_lists_remove(&p->lists, f);
	p->expected = true;
	p->expects = f;
}

static bool choose(struct policy *base, const frame_t *coming, frame_t *victim)
{
	struct two_queues *p = queues_of(base);
	uint64_t kin = part(base->capacity / 4);
	uint64_t kout = part(base->capacity / 2);

	if (coming)
		expect(p, *coming);
	if (p->lists.count[A1IN] <= kin &&
	    frame_lists_pop(&p->lists, AM, victim))
		return true;
	if (!frame_lists_pop(&p->lists, A1IN, victim))
		return false;
	frame_lists_push(&p->lists, A1OUT, *victim);
	frame_lists_trim(&p->lists, A1OUT, kout);
	return true;
}

const struct policy_ops policy_2q = {
	.name = "2q",
	.size = sizeof(struct two_queues),
	.init = init,
	.fini = fini,
	.refer = refer,
	.holds = holds,
	.remove = forget,
	.choose = choose,
};
