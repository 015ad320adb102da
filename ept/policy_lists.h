/* SPDX-License-Identifier: MIT */
/*
 * What policies have in common in which who is resident is in one of two
 * lists, and who left is remembered in others, as a ghost.
 */
#ifndef EPT_POLICY_LISTS_H
#define EPT_POLICY_LISTS_H

#include "ept/frame_lists.h"
#include "ept/policy.h"

#define LISTS_RESIDENT 2 /* the first ones */

struct policy_lists {
	struct policy base;
	struct frame_lists lists;
	/* A ghost for which room is being made: its place among the ghosts is
	 * given up already. */
	bool expected;
	frame_t expects;
};

static inline struct policy_lists *policy_lists_of(struct policy *p)
{
	return (struct policy_lists *)p;
}

static inline bool policy_lists_init(struct policy *p, uint64_t frames)
{
	return frame_lists_init(&policy_lists_of(p)->lists, frames);
}

static inline void policy_lists_fini(struct policy *p)
{
	frame_lists_free(&policy_lists_of(p)->lists);
}

static inline bool policy_lists_resident(const struct policy_lists *p,
					 frame_t f)
{
	return frame_lists_of(&p->lists, f) < LISTS_RESIDENT;
}

static inline bool policy_lists_holds(struct policy *base, frame_t f)
{
	const struct policy_lists *p = policy_lists_of(base);

	return policy_lists_resident(p, f) && frame_lists_linked(&p->lists, f);
}

static inline void policy_lists_remove(struct policy *base, frame_t f)
{
	struct frame_lists *lists = &policy_lists_of(base)->lists;

	if (frame_lists_of(lists, f) != LIST_NONE)
		frame_lists_remove(lists, f);
}

/* Room is being made for @f, a ghost. */
static inline void policy_lists_expect(struct policy_lists *p, frame_t f)
{
	frame_lists_remove(&p->lists, f);
	p->expected = true;
	p->expects = f;
}

/* @f has come: was it expected? */
static inline bool policy_lists_expected(struct policy_lists *p, frame_t f)
{
	bool expected = p->expected && p->expects.v == f.v;

	p->expected = false;
	return expected;
}

#endif
