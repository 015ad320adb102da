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
#include "ept/policy_lists.h"

enum { A1IN, AM, A1OUT };

static uint64_t part(uint64_t frames)
{
	return frames ? frames : 1;
}

static void insert(struct policy_lists *p, frame_t f)
{
	bool proven = frame_lists_of(&p->lists, f) == A1OUT;

	proven |= policy_lists_expected(p, f);
	frame_lists_move(&p->lists, proven ? AM : A1IN, f);
}

static void touch(struct policy_lists *p, frame_t f)
{
	if (frame_lists_of(&p->lists, f) == AM)
		frame_lists_move(&p->lists, AM, f);
}

static void refer(struct policy *base, frame_t f)
{
	struct policy_lists *p = policy_lists_of(base);

	if (policy_lists_resident(p, f))
		touch(p, f);
	else
		insert(p, f);
}

static bool choose(struct policy *base, const frame_t *coming, frame_t *victim)
{
	struct policy_lists *p = policy_lists_of(base);
	uint64_t kin = part(base->capacity / 4);
	uint64_t kout = part(base->capacity / 2);

	if (coming && frame_lists_of(&p->lists, *coming) == A1OUT)
		policy_lists_expect(p, *coming);
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
	.size = sizeof(struct policy_lists),
	.init = policy_lists_init,
	.fini = policy_lists_fini,
	.refer = refer,
	.holds = policy_lists_holds,
	.remove = policy_lists_remove,
	.choose = choose,
};
