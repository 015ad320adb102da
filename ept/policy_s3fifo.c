/* SPDX-License-Identifier: MIT */
/*
 * S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, SOSP 2023): three FIFO queues
 * are enough.
 *
 * Theory. Most pages of most workloads are used once in the time that a cache
 * could keep them, so they should leave soon. A newcomer enters the small
 * queue S, a tenth of the frames. At its end it moves to the main queue M if
 * it was referenced again at least twice, and leaves otherwise, remembered in
 * the ghost queue G for as long as 90% of the frames last. A miss on a ghost
 * enters M at once. M goes round like CLOCK with a counter: who was referenced
 * goes to its front again for one count less. A hit only counts, to three.
 *
 *     new --> S --> G --> forgotten        M --> out, not remembered
 *             '-----+--> M                 '--^ while it counts
 */
#include "ept/policy_lists.h"

#define COUNT_MAX     3
#define COUNT_TO_MAIN 2

enum { SMALL, MAIN, GHOST };

struct s3fifo {
	struct policy_lists base;
	struct packed count; /* [frames]: references since it came */
};

static struct s3fifo *s3fifo_of(struct policy *p)
{
	return (struct s3fifo *)p;
}

static bool init(struct policy *base, uint64_t frames)
{
	return policy_lists_init(base, frames) &&
	       packed_init(&s3fifo_of(base)->count, frames, COUNT_MAX);
}

static void fini(struct policy *base)
{
	policy_lists_fini(base);
	packed_free(&s3fifo_of(base)->count);
}

static void insert(struct s3fifo *p, frame_t f)
{
	struct frame_lists *lists = &p->base.lists;
	bool ghost = frame_lists_of(lists, f) == GHOST;

	packed_set(&p->count, f.v, 0);
	frame_lists_move(lists, ghost ? MAIN : SMALL, f);
}

static void touch(struct s3fifo *p, frame_t f)
{
	uint64_t count = packed_get(&p->count, f.v);

	if (count < COUNT_MAX)
		packed_set(&p->count, f.v, count + 1);
}

static void refer(struct policy *base, frame_t f)
{
	struct s3fifo *p = s3fifo_of(base);

	if (policy_lists_resident(&p->base, f))
		touch(p, f);
	else
		insert(p, f);
}

/* The oldest of S. Does it leave? */
static bool choose_small(struct s3fifo *p, frame_t *victim)
{
	frame_lists_pop(&p->base.lists, SMALL, victim);
	if (packed_get(&p->count, victim->v) >= COUNT_TO_MAIN) {
		packed_set(&p->count, victim->v, 0);
		frame_lists_push(&p->base.lists, MAIN, *victim);
		return false;
	}
	frame_lists_push(&p->base.lists, GHOST, *victim);
	frame_lists_trim(&p->base.lists, GHOST, p->base.base.capacity * 9 / 10);
	return true;
}

/* The oldest of M. Does it leave? */
static bool choose_main(struct s3fifo *p, frame_t *victim)
{
	uint64_t count;

	frame_lists_pop(&p->base.lists, MAIN, victim);
	count = packed_get(&p->count, victim->v);
	if (!count)
		return true;
	packed_set(&p->count, victim->v, count - 1);
	frame_lists_push(&p->base.lists, MAIN, *victim);
	return false;
}

static bool choose(struct policy *base, const frame_t *coming, frame_t *victim)
{
	struct s3fifo *p = s3fifo_of(base);
	const uint64_t *count = p->base.lists.count;
	uint64_t small = base->capacity < 10 ? 1 : base->capacity / 10;
	bool left = false;

	(void)coming;
	while (!left && count[SMALL] + count[MAIN])
		left = count[SMALL] >= small || !count[MAIN]
			       ? choose_small(p, victim)
			       : choose_main(p, victim);
	return left;
}

const struct policy_ops policy_s3fifo = {
	.name = "s3fifo",
	.size = sizeof(struct s3fifo),
	.init = init,
	.fini = fini,
	.refer = refer,
	.holds = policy_lists_holds,
	.remove = policy_lists_remove,
	.choose = choose,
};
