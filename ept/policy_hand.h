/* SPDX-License-Identifier: MIT */
/*
 * What policies have in common in which a hand goes over a queue of who is
 * resident, each with a bit that a touch sets: under the hand, who has it loses
 * it and stays, and who has not leaves. They differ in where a newcomer stands.
 */
#ifndef EPT_POLICY_HAND_H
#define EPT_POLICY_HAND_H

#include "ept/frame_queue.h"
#include "ept/frame_set.h"
#include "ept/policy.h"

struct policy_hand {
	struct policy base;
	struct frame_queue queue;
	struct frame_set touched; /* of who is resident */
	uint32_t hand; /* a link of the queue; its head: at the oldest */
};

static inline struct policy_hand *policy_hand_of(struct policy *p)
{
	return (struct policy_hand *)p;
}

static inline bool policy_hand_init(struct policy *base, uint64_t frames)
{
	struct policy_hand *p = policy_hand_of(base);

	p->hand = FRAME_QUEUE_HEAD;
	return frame_queue_init(&p->queue, frames) &&
	       frame_set_init(&p->touched, frames);
}

static inline void policy_hand_fini(struct policy *base)
{
	struct policy_hand *p = policy_hand_of(base);

	frame_queue_free(&p->queue);
	frame_set_free(&p->touched);
}

static inline bool policy_hand_holds(struct policy *p, frame_t f)
{
	return frame_queue_holds(&policy_hand_of(p)->queue, f);
}

/* False: @f is a newcomer. */
static inline bool policy_hand_touch(struct policy_hand *p, frame_t f)
{
	if (!frame_queue_holds(&p->queue, f))
		return false;
	frame_set_add(&p->touched, f);
	return true;
}

static inline void policy_hand_remove(struct policy *base, frame_t f)
{
	struct policy_hand *p = policy_hand_of(base);

	if (!policy_hand_holds(base, f))
		return;
	frame_set_remove(&p->touched, f);
	frame_queue_remove_at(&p->queue, f, &p->hand);
}

static inline bool policy_hand_choose(struct policy *base,
				      const frame_t *coming, frame_t *victim)
{
	struct policy_hand *p = policy_hand_of(base);

	(void)coming;
	if (frame_queue_empty(&p->queue))
		return false;
	for (;;) {
		*victim = frame_queue_look(&p->queue, &p->hand);
		if (!frame_set_has(&p->touched, *victim))
			break;
		frame_set_remove(&p->touched, *victim);
		frame_queue_go_on(&p->queue, &p->hand);
	}
	/* The hand goes on to the next newer. */
	frame_queue_remove_at(&p->queue, *victim, &p->hand);
	return true;
}

#endif
