/* SPDX-License-Identifier: MIT */
/*
 * LRU: the frame whose last reference is longest ago leaves.
 *
 * Theory. Programs have locality, so the near past foretells the near future;
 * LRU is OPT with time reversed. It is a stack algorithm (Mattson, Gecsei,
 * Slutz and Traiger, IBM Systems Journal 1970): what C frames hold is a subset
 * of what C + 1 hold, so more memory never hurts, and one pass gives the miss
 * count of every size (ept/mrc.h). Its weaknesses: one scan of more pages than
 * there are frames flushes it, a loop over C + 1 pages misses always, and it
 * wants to see every reference. Live it sees misses and rescues only, and is
 * then FIFO with a second chance.
 *
 *     referred to --> most recent . . . least recent --> choose
 */
#include "ept/policy_queue.h"

static void refer(struct policy *p, frame_t f)
{
	policy_queue_remove(p, f);
	frame_queue_push(policy_queue_of(p), f);
}

const struct policy_ops policy_lru = {
	.name = "lru",
	.size = sizeof(struct policy_queue),
	.init = policy_queue_init,
	.fini = policy_queue_fini,
	.refer = refer,
	.holds = policy_queue_holds,
	.remove = policy_queue_remove,
	.choose = policy_queue_choose,
};
