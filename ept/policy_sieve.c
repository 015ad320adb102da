/* SPDX-License-Identifier: MIT */
/*
 * SIEVE (Zhang, Yang, Yue, Vigfusson and Rashmi, NSDI 2024): FIFO with a hand
 * that sifts newcomers early.
 *
 * Theory. One queue, newest first, a visited bit each, and a hand that goes
 * from the oldest to the newest and then from the oldest again. Under the hand
 * a visited frame loses its bit and stays *where it is*; an unvisited one
 * leaves. CLOCK moves a survivor behind all newcomers; SIEVE leaves it behind
 * the hand, which next meets the newest frames: what is used once leaves soon
 * (quick demotion) and what is popular is not disturbed (lazy promotion). A
 * hit only sets a bit. It does not resist scans that reference a page twice,
 * and on block traces it is at times worse than LRU.
 *
 *     a miss --> newest . . . kept . . . <-- hand . . . oldest
 */
#include "ept/policy_hand.h"

static void refer(struct policy *base, frame_t f)
{
	struct policy_hand *p = policy_hand_of(base);

	if (!policy_hand_touch(p, f))
		frame_queue_push(&p->queue, f);
}

const struct policy_ops policy_sieve = {
	.name = "sieve",
	.size = sizeof(struct policy_hand),
	.init = policy_hand_init,
	.fini = policy_hand_fini,
	.refer = refer,
	.holds = policy_hand_holds,
	.remove = policy_hand_remove,
	.choose = policy_hand_choose,
};
