/* SPDX-License-Identifier: MIT */
/*
 * What policies have in common in which who is resident stands in one queue,
 * and whoever came to its front leaves: all but what a reference does.
 */
#ifndef EPT_POLICY_QUEUE_H
#define EPT_POLICY_QUEUE_H

#include "ept/frame_queue.h"
#include "ept/policy.h"

struct policy_queue {
	struct policy base;
	struct frame_queue queue;
};

static inline struct frame_queue *policy_queue_of(struct policy *p)
{
	return &((struct policy_queue *)p)->queue;
}

static inline bool policy_queue_init(struct policy *p, uint64_t frames)
{
	return frame_queue_init(policy_queue_of(p), frames);
}

static inline void policy_queue_fini(struct policy *p)
{
	frame_queue_free(policy_queue_of(p));
}

static inline bool policy_queue_holds(struct policy *p, frame_t f)
{
	return frame_queue_holds(policy_queue_of(p), f);
}

static inline void policy_queue_remove(struct policy *p, frame_t f)
{
	if (policy_queue_holds(p, f))
		frame_queue_remove(policy_queue_of(p), f);
}

static inline bool policy_queue_choose(struct policy *p, const frame_t *coming,
				       frame_t *victim)
{
	(void)coming;
	return frame_queue_pop(policy_queue_of(p), victim);
}

#endif
