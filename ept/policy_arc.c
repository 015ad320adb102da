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
#include "ept/frame_lists.h"
#include "ept/policy.h"

enum { T1, T2, B1, B2 };

struct arc {
	struct policy base;
	struct frame_lists lists;
	double target; /* p: how many frames T1 should have */
	/* A ghost for which room is being made: it has been counted and its
	 * place is given up already, and T2 waits for it. */
	bool expected;
	frame_t expects;
};

static struct arc *arc_of(struct policy *p)
{
	return (struct arc *)p;
}

static bool init(struct policy *p, uint64_t frames)
{
	return frame_lists_init(&arc_of(p)->lists, frames);
}

static void fini(struct policy *p)
{
	frame_lists_free(&arc_of(p)->lists);
}

/* How far a hit in a ghost list of @own moves the target. */
static double step(uint64_t own, uint64_t other)
{
	return other > own ? (double)other / (double)own : 1;
}

/* A miss on a ghost in @list: what should have been larger? */
static void adapt(struct arc *p, unsigned list)
{
	const uint64_t *count = p->lists.count;
	double c = (double)p->base.capacity;

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
static void trim(struct arc *p)
{
	const uint64_t *count = p->lists.count;
	uint64_t c = p->base.capacity, rest;

	frame_lists_trim(&p->lists, B1, count[T1] < c ? c - count[T1] : 0);
	rest = count[T1] + count[B1] + count[T2];
	frame_lists_trim(&p->lists, B2, rest < 2 * c ? 2 * c - rest : 0);
}

static bool is_ghost(const struct arc *p, frame_t f)
{
	unsigned list = frame_lists_of(&p->lists, f);

	return list == B1 || list == B2;
}

static bool is_resident(const struct arc *p, frame_t f)
{
	unsigned list = frame_lists_of(&p->lists, f);

	return list == T1 || list == T2;
}

static bool holds(struct policy *p, frame_t f)
{
	return is_resident(arc_of(p), f) &&
	       frame_lists_linked(&arc_of(p)->lists, f);
}

static void insert(struct policy *base, frame_t f)
{
	struct arc *p = arc_of(base);
	bool again = is_ghost(p, f);

	if (again)
		adapt(p, frame_lists_of(&p->lists, f));
	again |= p->expected && p->expects.v == f.v;
	p->expected = false;
	frame_lists_move(&p->lists, again ? T2 : T1, f);
	trim(p);
}

static void touch(struct policy *p, frame_t f)
{
	frame_lists_move(&arc_of(p)->lists, T2, f);
}

static void refer(struct policy *p, frame_t f)
{
	if (is_resident(arc_of(p), f))
		touch(p, f);
	else
		insert(p, f);
}

static void forget(struct policy *p, frame_t f)
{
	if (frame_lists_of(&arc_of(p)->lists, f) != LIST_NONE)
		frame_lists_remove(&arc_of(p)->lists, f);
}

/* Is @f a ghost of T2? Whatever ghost it is is counted now. */
static bool expect(struct arc *p, frame_t f)
{
	unsigned list = frame_lists_of(&p->lists, f);

	if (!is_ghost(p, f))
		return false;
	adapt(p, list);
	frame_lists_remove(&p->lists, f);
	p->expected = true;
	p->expects = f;
	return list == B2;
}

/* REPLACE of the paper. */
static bool choose(struct policy *base, const frame_t *coming, frame_t *victim)
{
	struct arc *p = arc_of(base);
	bool from_b2 = coming && expect(p, *coming);
	const uint64_t *count = p->lists.count;
	double t1 = (double)count[T1];
	bool t1_gives = t1 > p->target || (from_b2 && t1 == p->target);
	unsigned list = count[T1] && (t1_gives || !count[T2]) ? T1 : T2;

	if (!frame_lists_pop(&p->lists, list, victim))
		return false;
	frame_lists_push(&p->lists, list == T1 ? B1 : B2, *victim);
	return true;
}

const struct policy_ops policy_arc = {
	.name = "arc",
	.size = sizeof(struct arc),
	.init = init,
	.fini = fini,
	.refer = refer,
	.holds = holds,
	.remove = forget,
	.choose = choose,
};
