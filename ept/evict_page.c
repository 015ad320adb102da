/* SPDX-License-Identifier: MIT */
/* One page that has to go, or to be unmapped, because somebody says so. */
#include <errno.h>

#include "ept/evict.h"

/* Wait until nobody is mapping or bringing in frame @f, and one more page may
 * become stale; its entry then. The lock is held, and dropped meanwhile. */
static struct pte settle(struct stage2 *s, frame_t f)
{
	for (;;) {
		struct pte e = entry_of(s, f);

		if (s->stopping)
			return e;
		if (frame_set_has(&s->busy, f) || pte_kind(e) == PTE_ARRIVING) {
			wait_settled(s);
		} else if (s->stale.n == GATHER_MAX) {
			pthread_mutex_unlock(&s->lock);
			evict_flush(s);
			pthread_mutex_lock(&s->lock);
		} else {
			return e;
		}
	}
}

/* Unmap frame @f and take it, unless it is touched meanwhile. */
static int take(struct stage2 *s, struct batch *b, frame_t f)
{
	int r;

	evict_age(s, f);
	pthread_mutex_unlock(&s->lock);
	evict_flush(s);
	pthread_mutex_lock(&s->lock);
	r = evict_take(s, b, f);
	if (!r)
		page_unknown(s, f);
	return r;
}

/* Evict frame @f, which is in memory. The lock is held, and dropped
 * meanwhile. */
static int evict_one(struct stage2 *s, frame_t f)
{
	struct batch *b = evict_batch_new();
	int r;

	if (!b)
		return -ENOMEM;
	r = take(s, b, f);
	if (!r) {
		pthread_mutex_unlock(&s->lock);
		r = evict_run(s, b) ? 0 : b->victim[0].error;
		pthread_mutex_lock(&s->lock);
	}
	evict_batch_free(b);
	return r;
}

/* The lock is held, and dropped meanwhile. */
static int try_evict(struct stage2 *s, frame_t f)
{
	switch (pte_kind(settle(s, f))) {
	case PTE_LEAF:
	case PTE_UNMAPPED:
		return evict_movable(s, f) ? evict_one(s, f) : -EBUSY;
	case PTE_ABSENT:
	case PTE_STORED:
		return 0;
	default:
		return -EBUSY;
	}
}

int stage2_evict(struct stage2 *s, gfn_t g)
{
	frame_t f;
	int r;

	if (!s->config.paging)
		return -ENOTSUP;
	if (!frame_of(s, g, &f))
		return -EFAULT;
	pthread_mutex_lock(&s->lock);
	while ((r = try_evict(s, f)) == -EBUSY && evict_claimed(s, NULL, f) &&
	       !s->stopping)
		wait_settled(s);
	pthread_mutex_unlock(&s->lock);
	return r;
}

int stage2_unmap(struct stage2 *s, gfn_t g)
{
	struct pte e;
	frame_t f;
	int r = 0;

	if (!s->config.paging)
		return -ENOTSUP;
	if (!frame_of(s, g, &f))
		return -EFAULT;
	pthread_mutex_lock(&s->lock);
	e = settle(s, f);
	if (!pte_has_frame(e) || !evict_movable(s, f))
		r = -EBUSY;
	else
		evict_age(s, f);
	pthread_mutex_unlock(&s->lock);
	evict_flush(s);
	return r;
}
