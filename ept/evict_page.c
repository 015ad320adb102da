/* SPDX-License-Identifier: MIT */
/* One page that has to go, or to be unmapped, because somebody says so. */
#include <errno.h>

#include "ept/decide.h"
#include "ept/evict.h"

static bool is_settled(const struct stage2 *s, frame_t f, struct pte e)
{
	return !frame_set_has(&s->busy, f) && pte_kind(e) != PTE_ARRIVING;
}

/* Take `evicting` and the lock at a moment when nobody is mapping or bringing
 * in frame @f, and one more page may become stale; its entry then. */
static struct pte lock_settled(struct stage2 *s, frame_t f)
{
	for (;;) {
		struct pte e;

		pthread_mutex_lock(&s->evicting);
		pthread_mutex_lock(&s->lock);
		e = entry_of(s, f);
		if (s->stopping ||
		    (is_settled(s, f, e) && s->stale.n < GATHER_MAX))
			return e;
		pthread_mutex_unlock(&s->evicting);
		if (!is_settled(s, f, e))
			pthread_cond_wait(&s->settled, &s->lock);
		pthread_mutex_unlock(&s->lock);
		evict_flush(s);
	}
}

/* Unmap frame @f for good reason: known to nobody, and flushed. Both locks are
 * held, and the lock dropped meanwhile. False: it was touched. */
static bool withdraw(struct stage2 *s, frame_t f)
{
	evict_age(s, f);
	pthread_mutex_unlock(&s->lock);
	evict_flush(s);
	pthread_mutex_lock(&s->lock);
	if (pte_kind(entry_of(s, f)) != PTE_UNMAPPED || !evict_movable(s, f))
		return false;
	page_unknown(s, f);
	return true;
}

/* Evict frame @f, which is in memory; both locks held, dropped. */
static int evict_one(struct stage2 *s, frame_t f)
{
	struct batch *b = evict_batch_new();
	int r = -ENOMEM;

	if (b && !withdraw(s, f)) {
		r = -EBUSY;
	} else if (b && evict_take(s, b, f)) {
		pthread_mutex_unlock(&s->lock);
		r = evict_run(s, b) ? 0 : b->victim[0].error;
		pthread_mutex_lock(&s->lock);
	} else if (b) {
		decide_insert(s, f);
	}
	evict_batch_free(b);
	return r;
}

int stage2_evict(struct stage2 *s, gfn_t g)
{
	frame_t f;
	int r = -EBUSY;

	if (!s->config.paging)
		return -ENOTSUP;
	if (!frame_of(s, g, &f))
		return -EFAULT;
	switch (pte_kind(lock_settled(s, f))) {
	case PTE_LEAF:
	case PTE_UNMAPPED:
		if (evict_movable(s, f))
			r = evict_one(s, f);
		break;
	case PTE_ABSENT:
	case PTE_STORED:
		r = 0;
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&s->lock);
	pthread_mutex_unlock(&s->evicting);
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
	e = lock_settled(s, f);
	if (!pte_has_frame(e) || !evict_movable(s, f))
		r = -EBUSY;
	else
		evict_age(s, f);
	pthread_mutex_unlock(&s->lock);
	evict_flush(s);
	pthread_mutex_unlock(&s->evicting);
	return r;
}
