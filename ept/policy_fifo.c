/* SPDX-License-Identifier: MIT */
/*
 * FIFO: the frame that came first leaves first.
 *
 * Theory. FIFO looks at arrivals only: it needs no reference information and a
 * hit costs nothing at all. It evicts hot pages as readily as cold ones, which
 * is its price, and more memory can even mean more faults (Belady, Nelson and
 * Shedler, CACM 1969: 12 references, 9 faults with 3 frames, 10 with 4). It is
 * here as the baseline that every other policy must beat, and because its
 * victims are known in advance: tests and lessons can count on them.
 *
 *     a miss --> newest . . . oldest --> choose
 */
#include "ept/policy_queue.h"

/* A hit does not change who came first. */
static void refer(struct policy *p, frame_t f)
{
	if (!policy_queue_holds(p, f))
		frame_queue_push(policy_queue_of(p), f);
}

const struct policy_ops policy_fifo = {
	.name = "fifo",
	.size = sizeof(struct policy_queue),
	.init = policy_queue_init,
	.fini = policy_queue_fini,
	.refer = refer,
	.holds = policy_queue_holds,
	.remove = policy_queue_remove,
	.choose = policy_queue_choose,
};
