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
#include "ept/frame_queue.h"
#include "ept/policy.h"

struct lru {
	struct policy base;
	struct frame_queue queue; /* pushed at each reference */
};

static struct lru *lru_of(struct policy *p)
{
	return (struct lru *)p;
}

static bool init(struct policy *p, uint64_t frames)
{
	return frame_queue_init(&lru_of(p)->queue, frames);
}

static void fini(struct policy *p)
{
	frame_queue_free(&lru_of(p)->queue);
}

static bool holds(struct policy *p, frame_t f)
{
	return frame_queue_holds(&lru_of(p)->queue, f);
}

static void forget(struct policy *p, frame_t f)
{
	if (holds(p, f))
		frame_queue_remove(&lru_of(p)->queue, f);
}

static void refer(struct policy *p, frame_t f)
{
	forget(p, f);
	frame_queue_push(&lru_of(p)->queue, f);
}

static bool choose(struct policy *p, const frame_t *coming, frame_t *victim)
{
	(void)coming;
	return frame_queue_pop(&lru_of(p)->queue, victim);
}

const struct policy_ops policy_lru = {
	.name = "lru",
	.size = sizeof(struct lru),
	.init = init,
	.fini = fini,
	.refer = refer,
	.holds = holds,
	.remove = forget,
	.choose = choose,
};
