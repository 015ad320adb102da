/* SPDX-License-Identifier: MIT */
/*
 * CLOCK, or second chance (Corbato, "A Paging Experiment with the Multics
 * System", 1968): FIFO that looks once before it throws away.
 *
 * Theory. Frames stand on a ring under one hand, each with a reference bit,
 * which a touch sets. Under the hand, a frame whose bit is set loses it and
 * stays for a round; one whose bit is clear leaves. A newcomer starts clear
 * and stands behind the hand, a whole round away. It approximates LRU at the
 * cost of FIFO, because a hit moves nothing; a frame in use once a round is
 * never evicted. When everything is in use the hand clears a whole round
 * before it evicts, and CLOCK is FIFO again.
 */
#include "ept/policy_hand.h"

static void refer(struct policy *base, frame_t f)
{
	struct policy_hand *p = policy_hand_of(base);

	if (!policy_hand_touch(p, f))
		frame_queue_push_behind(&p->queue, p->hand, f);
}

const struct policy_ops policy_clock = {
	.name = "clock",
	.size = sizeof(struct policy_hand),
	.init = policy_hand_init,
	.fini = policy_hand_fini,
	.refer = refer,
	.holds = policy_hand_holds,
	.remove = policy_hand_remove,
	.choose = policy_hand_choose,
};
