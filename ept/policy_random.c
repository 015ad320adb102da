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
#include <assert.h>
#include <stdlib.h>

#include "ept/policy.h"

#define SEED   UINT64_C(0x9e3779b97f4a7c15)
#define NOT_IN UINT32_MAX

struct random {
	struct policy base;
	uint64_t seed, n;
	uint32_t *frame; /* [n]: the resident frames, in any order */
	uint32_t *at; /* [frames]: where in frame[], or NOT_IN */
};

static struct random *random_of(struct policy *p)
{
	return (struct random *)p;
}

static void destroy(struct policy *p)
{
	free(random_of(p)->frame);
	free(random_of(p)->at);
	free(p);
}

static struct policy *create(uint64_t frames, uint64_t capacity)
{
	struct random *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->base = (struct policy){ &policy_random, capacity };
	p->seed = SEED;
	if (frames < UINT32_MAX) {
		p->frame = calloc(frames + 1, sizeof(p->frame[0]));
		p->at = malloc((frames + 1) * sizeof(p->at[0]));
	}
	if (!p->frame || !p->at) {
		destroy(&p->base);
		return NULL;
	}
	for (uint64_t f = 0; f < frames; f++)
		p->at[f] = NOT_IN;
	return &p->base;
}

static void insert(struct policy *base, frame_t f)
{
	struct random *p = random_of(base);

	assert(p->at[f.v] == NOT_IN);
	p->at[f.v] = (uint32_t)p->n;
	p->frame[p->n++] = (uint32_t)f.v;
}

static void touch(struct policy *p, frame_t f)
{
	assert(random_of(p)->at[f.v] != NOT_IN);
	(void)p;
	(void)f;
}

/* The last frame takes its place. */
static void forget(struct policy *base, frame_t f)
{
	struct random *p = random_of(base);
	uint32_t at = p->at[f.v];

	if (at == NOT_IN)
		return;
	p->frame[at] = p->frame[--p->n];
	p->at[p->frame[at]] = at;
	p->at[f.v] = NOT_IN;
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
	*victim = (frame_t){ p->frame[next(p) % p->n] };
	forget(base, *victim);
	return true;
}

const struct policy_ops policy_random = {
	.name = "random",
	.create = create,
	.destroy = destroy,
	.insert = insert,
	.touch = touch,
	.remove = forget,
	.choose = choose,
};
