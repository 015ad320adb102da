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
#include "ept/frame_queue.h"
#include "ept/frame_set.h"
#include "ept/policy.h"

struct sieve {
	struct policy base;
	struct frame_queue queue; /* its first frame is the oldest */
	struct frame_set visited;
	uint32_t hand; /* a link of the queue; its head: at the oldest */
};

static struct sieve *sieve_of(struct policy *p)
{
	return (struct sieve *)p;
}

static bool init(struct policy *base, uint64_t frames)
{
	struct sieve *p = sieve_of(base);

	p->hand = FRAME_QUEUE_HEAD;
	return frame_queue_init(&p->queue, frames) &&
	       frame_set_init(&p->visited, frames);
}

static void fini(struct policy *base)
{
	struct sieve *p = sieve_of(base);

	frame_queue_free(&p->queue);
	frame_set_free(&p->visited);
}

static bool holds(struct policy *p, frame_t f)
{
	return frame_queue_holds(&sieve_of(p)->queue, f);
}

static void refer(struct policy *base, frame_t f)
{
	struct sieve *p = sieve_of(base);

	if (holds(base, f)) {
		frame_set_add(&p->visited, f);
		return;
	}
	frame_queue_push(&p->queue, f);
	frame_set_remove(&p->visited, f);
}

static void forget(struct policy *base, frame_t f)
{
	struct sieve *p = sieve_of(base);

	if (holds(base, f))
		frame_queue_remove_at(&p->queue, f, &p->hand);
}

static bool choose(struct policy *base, const frame_t *coming, frame_t *victim)
{
	struct sieve *p = sieve_of(base);

	(void)coming;
	if (frame_queue_empty(&p->queue))
		return false;
	for (;;) {
		*victim = frame_queue_look(&p->queue, &p->hand);
		if (!frame_set_has(&p->visited, *victim))
			break;
		frame_set_remove(&p->visited, *victim);
		frame_queue_go_on(&p->queue, &p->hand);
	}
	/* The hand goes on to the next newer. */
	frame_queue_remove_at(&p->queue, *victim, &p->hand);
	return true;
}

const struct policy_ops policy_sieve = {
	.name = "sieve",
	.size = sizeof(struct sieve),
	.init = init,
	.fini = fini,
	.refer = refer,
	.holds = holds,
	.remove = forget,
	.choose = choose,
};
