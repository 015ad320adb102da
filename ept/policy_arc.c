/* SPDX-License-Identifier: MIT */
/*
 * ARC, the adaptive replacement cache (Megiddo and Modha, FAST 2003): recency
 * against frequency, and the workload says which counts.
 *
 * Theory. T1 holds pages seen once lately, T2 pages seen at least twice, both
 * as LRU lists; together they fill the c frames. Of what left, B1 and B2
 * remember the pages, not the bytes. The target p is the size that T1 should
 * have: a miss on a page in B1 says that T1 was too small, so p grows, one in
 * B2 that T2 was, so p shrinks, by the ratio of the two if the other ghost
 * list is longer. REPLACE takes the oldest of T1 if T1 is above its target,
 * else of T2. |T1| + |B1| <= c and all four <= 2c. There is no knob.
 *
 *     forgotten <-- B1 <-- T1 <-- new       referenced again --> T2 --> B2 -->
 */
#include "ept/policy_lists.h"

enum { T1, T2, B1, B2 };

struct arc {
	struct policy_lists base;
	double target; /* p: how many frames T1 should have */
};

static struct arc *arc_of(struct policy *p)
{
	return (struct arc *)p;
}

/* How far a hit in a ghost list of @own moves the target. */
static double step(uint64_t own, uint64_t other)
{
	return other > own ? (double)other / (double)own : 1;
}

/* A miss on a ghost in @list: what should have been larger? */
static void adapt(struct arc *p, unsigned list)
{
	const uint64_t *count = p->base.lists.count;
	double c = (double)p->base.base.capacity;

	if (list == B1)
		p->target += step(count[B1], count[B2]);
	else
		p->target -= step(count[B2], count[B1]);
	if (p->target < 0)
		p->target = 0;
	if (p->target > c)
		p->target = c;
}

/* The paper lets these go before REPLACE; the outcome is the same. */
static void trim(struct policy_lists *p)
{
	const uint64_t *count = p->lists.count;
	uint64_t c = p->base.capacity, rest;

	frame_lists_trim(&p->lists, B1, count[T1] < c ? c - count[T1] : 0);
	rest = count[T1] + count[B1] + count[T2];
	frame_lists_trim(&p->lists, B2, rest < 2 * c ? 2 * c - rest : 0);
}

static bool is_ghost(unsigned list)
{
	return list == B1 || list == B2;
}

static void insert(struct policy *base, frame_t f)
{
	struct policy_lists *p = policy_lists_of(base);
	unsigned list = frame_lists_of(&p->lists, f);
	bool again = is_ghost(list);

	if (again)
		adapt(arc_of(base), list);
	again |= policy_lists_expected(p, f);
	frame_lists_move(&p->lists, again ? T2 : T1, f);
	trim(p);
}

static void refer(struct policy *base, frame_t f)
{
	struct policy_lists *p = policy_lists_of(base);

	if (policy_lists_resident(p, f))
		frame_lists_move(&p->lists, T2, f);
	else
		insert(base, f);
}

/* Is @f a ghost of T2? Whatever ghost it is is counted now. */
static bool expect(struct policy *base, frame_t f)
{
	struct policy_lists *p = policy_lists_of(base);
	unsigned list = frame_lists_of(&p->lists, f);

	if (!is_ghost(list))
		return false;
	adapt(arc_of(base), list);
	policy_lists_expect(p, f);
	return list == B2;
}

/* REPLACE of the paper. */
static bool choose(struct policy *base, const frame_t *coming, frame_t *victim)
{
	struct frame_lists *lists = &policy_lists_of(base)->lists;
	bool from_b2 = coming && expect(base, *coming);
	const uint64_t *count = lists->count;
	double t1 = (double)count[T1], target = arc_of(base)->target;
	bool t1_gives = t1 > target || (from_b2 && t1 == target);
	unsigned list = count[T1] && (t1_gives || !count[T2]) ? T1 : T2;

	if (!frame_lists_pop(lists, list, victim))
		return false;
	frame_lists_push(lists, list == T1 ? B1 : B2, *victim);
	return true;
}

const struct policy_ops policy_arc = {
	.name = "arc",
	.size = sizeof(struct arc),
	.init = policy_lists_init,
	.fini = policy_lists_fini,
	.refer = refer,
	.holds = policy_lists_holds,
	.remove = policy_lists_remove,
	.choose = choose,
};
