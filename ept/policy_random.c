/* SPDX-License-Identifier: MIT */
/*
 * Random: any frame may leave, all with the same chance.
 *
 * Theory. It keeps no history, so no pattern of references is its worst case:
 * on a loop over more pages than there are frames it hits where LRU and FIFO
 * never do, and its misses fall smoothly with memory (Belady, IBM Systems
 * Journal 1966, has it as the first of his policies). A hot page goes as
 * readily as a cold one, but soon comes back and stands as good a chance. It
 * is the floor: a policy that random beats has learnt the wrong thing.
 *
 * Marsaglia's xorshift with a fixed seed: two runs choose alike.
 */
#include "ept/packed.h"
#include "ept/policy.h"

#define SEED UINT64_C(0x9e3779b97f4a7c15)

struct random {
	struct policy base;
	uint64_t seed, n;
	struct packed frame; /* [n]: the resident frames, in any order */
	struct packed at; /* [frames]: 1 + where in frame[]; 0: it is not */
};

static struct random *random_of(struct policy *p)
{
	return (struct random *)p;
}

static bool init(struct policy *base, uint64_t frames)
{
	struct random *p = random_of(base);

	p->seed = SEED;
	return frames <= UINT32_MAX && packed_init(&p->frame, frames, frames) &&
	       packed_init(&p->at, frames, frames);
}

static void fini(struct policy *base)
{
	struct random *p = random_of(base);

	packed_free(&p->frame);
	packed_free(&p->at);
}

static bool holds(struct policy *base, frame_t f)
{
	struct random *p = random_of(base);
	uint64_t at = packed_get(&p->at, f.v);

	return at && at <= p->n && packed_get(&p->frame, at - 1) == f.v;
}

static void refer(struct policy *base, frame_t f)
{
	struct random *p = random_of(base);

	if (packed_get(&p->at, f.v))
		return;
	packed_set(&p->frame, p->n++, f.v);
	packed_set(&p->at, f.v, p->n);
}

/* The last frame takes its place. */
static void forget(struct policy *base, frame_t f)
{
	struct random *p = random_of(base);
	uint64_t at = packed_get(&p->at, f.v), last;

	if (!at)
		return;
	last = packed_get(&p->frame, --p->n);
	packed_set(&p->frame, at - 1, last);
	packed_set(&p->at, last, at);
	packed_set(&p->at, f.v, 0);
}

static uint64_t next(struct random *p)
{
	p->seed ^= p->seed << 13;
	p->seed ^= p->seed >> 7;
	p->seed ^= p->seed << 17;
	return p->seed;
}

static bool choose(struct policy *base, const frame_t *coming, frame_t *victim)
{
	struct random *p = random_of(base);

	(void)coming;
	if (!p->n)
		return false;
	*victim = (frame_t){ packed_get(&p->frame, next(p) % p->n) };
	forget(base, *victim);
	return true;
}

const struct policy_ops policy_random = {
	.name = "random",
	.size = sizeof(struct random),
	.init = init,
	.fini = fini,
	.refer = refer,
	.holds = holds,
	.remove = forget,
	.choose = choose,
};
