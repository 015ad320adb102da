/* SPDX-License-Identifier: MIT */
/*
 * Bringing a page in: the one way from "not in memory" to "in its frame",
 * whoever wants it, guest or device.
 */
#include <errno.h>

#include "ept/state.h"

uint64_t frames_used(const struct stage2 *s)
{
	const uint64_t *pages = s->ept.pages;

	return pages[PTE_LEAF] + pages[PTE_UNMAPPED] + pages[PTE_LEAVING] +
	       pages[PTE_ARRIVING];
}

uint64_t frames_free(const struct stage2 *s)
{
	uint64_t used = frames_used(s);

	return used < s->limit ? s->limit - used : 0;
}

/* The low mark of free frames. */
static uint64_t low_mark(const struct stage2 *s)
{
	uint64_t part = s->limit / 64;

	return part < 32 ? 32 : part > 1024 ? 1024 : part;
}

uint64_t frames_wanted(const struct stage2 *s)
{
	uint64_t used = frames_used(s), low = low_mark(s);

	if (s->limit >= s->backing.frames)
		return 0; /* all of RAM may be resident */
	return used + low <= s->limit ? 0 : used + 2 * low - s->limit;
}

struct page *page_of(struct stage2 *s, gfn_t g)
{
	frame_t f;

	return frame_of(s, g, &f) ? &s->page[f.v] : NULL;
}

void set_entry(struct stage2 *s, gfn_t g, struct pte e)
{
	int r = ept_map(&s->ept, g, 1, e);

	assert(r == 0);
	(void)r;
}

/* What the memfd holds is asked of the kernel after every page that came in:
 * a peak of our own counters would only prove that we can add. */
static void measure_peak(struct stage2 *s)
{
	uint64_t bytes = backing_bytes(&s->backing);
	uint64_t peak = atomic_load(&s->peak_bytes);

	while (bytes > peak &&
	       !atomic_compare_exchange_weak(&s->peak_bytes, &peak, bytes))
		;
}

static struct pager *pager_of(struct stage2 *s, struct pte e)
{
	return pte_kind(e) == PTE_STORED ? s->pager_swap
					 : s->pager[pte_payload(e)];
}

static void count_fill(struct stage2_counters *c, enum trace_source source)
{
	if (source == TRACE_SOURCE_ZERO)
		c->zero_filled++;
	else if (source == TRACE_SOURCE_FILE)
		c->file_filled++;
	else
		c->swapped_in++;
}

/* The page stays where it was; its owner hears of it, without our lock. */
static void tell_owner(struct stage2 *s, gfn_t g, struct pte e, int error)
{
	struct stage2_failure f = {
		.what = FAILURE_LOAD,
		.error = error,
		.gfn = g,
		.stored = pte_kind(e) == PTE_STORED,
		.source = pager_of(s, e)->ops->name,
	};

	pthread_mutex_unlock(&s->lock);
	if (f.stored) {
		f.slot = pte_slot(e);
		f.source = swap_tier_name(s->config.swap, f.slot);
	}
	s->config.failed(s->config.ctx, &f);
	pthread_mutex_lock(&s->lock);
}

/* A frame is free: fill it from the pager that @e names. */
static int fetch(struct stage2 *s, gfn_t g, struct pte e,
		 enum trace_source *source)
{
	struct pager *pager = pager_of(s, e);
	struct page *page;
	frame_t f;
	int r;

	frame_of(s, g, &f);
	page = &s->page[f.v];
	r = ept_map(&s->ept, g, 1, pte_away(PTE_ARRIVING, f.v, pte_rights(e)));
	if (r) { /* no memory to split a large entry */
		tell_owner(s, g, e, r);
		return r;
	}
	if (frames_wanted(s))
		pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	r = pager->ops->fill(pager, g, pte_payload(e),
			     backing_alias(&s->backing, f));
	measure_peak(s);
	if (r)
		backing_punch(&s->backing, f, 1);
	pthread_mutex_lock(&s->lock);

	*source = pager->ops->source;
	if (r) {
		set_entry(s, g, e);
	} else {
		set_entry(s, g, pte_away(PTE_UNMAPPED, f.v, pte_rights(e)));
		s->policy->ops->insert(s->policy, f);
		count_fill(&s->count, *source);
		if (pte_kind(e) == PTE_STORED) {
			page->has_copy = true;
			page->copy = pte_slot(e);
		}
	}
	pthread_cond_broadcast(&s->settled);
	if (r) {
		pthread_cond_broadcast(&s->freed);
		tell_owner(s, g, e, r);
	}
	return r;
}

/* A touch in time: the page stays. Its place in the policy was given up. */
static void cancel_leaving(struct stage2 *s, gfn_t g, struct pte e)
{
	set_entry(s, g, pte_away(PTE_UNMAPPED, pte_payload(e), pte_rights(e)));
	s->policy->ops->insert(s->policy, pte_frame(e));
}

static void wait_for_frame(struct stage2 *s)
{
	s->waiting++;
	pthread_cond_signal(&s->work);
	pthread_cond_wait(&s->freed, &s->lock);
	s->waiting--;
}

/* Once stopping, what is at hand is still given, but nobody waits. */
int page_in(struct stage2 *s, gfn_t g, enum trace_source *source)
{
	*source = TRACE_SOURCE_NONE;
	for (;;) {
		struct pte e = ept_lookup(&s->ept, g);

		switch (pte_kind(e)) {
		case PTE_LEAF:
		case PTE_UNMAPPED:
			*source = TRACE_SOURCE_MEMORY;
			return 0;
		case PTE_LEAVING:
			if (!page_of(s, g)->busy)
				cancel_leaving(s, g, e);
			else if (s->stopping)
				return -ECANCELED;
			else
				pthread_cond_wait(&s->settled, &s->lock);
			break;
		case PTE_ARRIVING:
			if (s->stopping)
				return -ECANCELED;
			pthread_cond_wait(&s->settled, &s->lock);
			break;
		case PTE_ABSENT:
		case PTE_STORED:
			if (frames_free(s))
				return fetch(s, g, e, source);
			if (s->stopping)
				return -ECANCELED;
			wait_for_frame(s);
			break;
		case PTE_POISONED:
			return -EHWPOISON;
		default:
			return -EFAULT;
		}
	}
}
