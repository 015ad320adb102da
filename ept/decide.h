/* SPDX-License-Identifier: MIT */
/*
 * The one door to the policy in force: whatever it is told or asked is recorded
 * in a trace that began with stage 2, so that the trace alone says which pages
 * a run had to evict. For ept/ only; the lock is held.
 */
#ifndef EPT_DECIDE_H
#define EPT_DECIDE_H

#include "ept/state.h"

/* A record of @what about frame @f, @value of it. */
void decide_trace(struct stage2 *s, enum trace_decision what, frame_t f,
		  uint64_t value);

/* @f became resident. */
static inline void decide_insert(struct stage2 *s, frame_t f)
{
	assert(!s->policy->ops->holds(s->policy, f));
	s->policy->ops->refer(s->policy, f);
	if (s->deciding)
		decide_trace(s, DECISION_INSERT, f, 0);
}

/* @f, which the policy holds, was referenced again. */
static inline void decide_touch(struct stage2 *s, frame_t f)
{
	assert(s->policy->ops->holds(s->policy, f));
	s->policy->ops->refer(s->policy, f);
	if (s->deciding)
		decide_trace(s, DECISION_TOUCH, f, 0);
}

static inline void decide_remove(struct stage2 *s, frame_t f)
{
	s->policy->ops->remove(s->policy, f);
	if (s->deciding)
		decide_trace(s, DECISION_REMOVE, f, 0);
}

/* False: it has none. */
static inline bool decide_choose(struct stage2 *s, frame_t *f)
{
	bool chosen = s->policy->ops->choose(s->policy, NULL, f);

	if (s->deciding && chosen)
		decide_trace(s, DECISION_CHOOSE, *f, 0);
	return chosen;
}

static inline void decide_capacity(struct stage2 *s, uint64_t frames)
{
	s->policy->capacity = frames;
	if (s->deciding)
		decide_trace(s, DECISION_CAPACITY, (frame_t){ 0 }, frames);
}

/* From now on it is @p, which is new and knows of no frame. */
static inline void decide_policy(struct stage2 *s, struct policy *p)
{
	s->policy = p;
	if (s->deciding)
		decide_trace(s, DECISION_POLICY, (frame_t){ 0 },
			     s->backing.frames);
}

#endif
