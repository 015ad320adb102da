/* SPDX-License-Identifier: MIT */
/*
 * Aging: a page is unmapped, first in the table and then, in merged ranges, in
 * the host. Its bytes stay, and from the flush on they cannot change without a
 * fault.
 */
#include <string.h>

#include "ept/evict.h"

bool evict_movable(const struct stage2 *s, frame_t f)
{
	return !frame_set_has(&s->busy, f) && !pins_hold(&s->pins, f) &&
	       !gather_holds(&s->stale, f);
}

struct pte entry_of(const struct stage2 *s, frame_t f)
{
	return ept_lookup(&s->ept, gfn_of_frame(s, f));
}

void evict_age(struct stage2 *s, frame_t f)
{
	struct pte e = entry_of(s, f), after;

	if (pte_kind(e) != PTE_LEAF)
		return;
	after = away_entry(s, PTE_UNMAPPED, f, pte_rights(e));
	set_entry(s, f, after);
	trace_page(s, TRACE_AGE, gfn_of_frame(s, f), e, after,
		   (struct trace_record){ .tsc = trace_now() });
}

/* Those of the stale frames that were not touched since: busy until done. */
static void flush_begin(struct stage2 *s, struct gather *stale)
{
	stale->n = 0;
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->stale.n; i++) {
		frame_t f = s->stale.frame[i];

		if (pte_kind(entry_of(s, f)) == PTE_UNMAPPED &&
		    !frame_set_has(&s->busy, f)) {
			frame_set_add(&s->busy, f);
			gather_add(stale, f);
		}
	}
	s->stale.n = 0;
	pthread_mutex_unlock(&s->lock);
}

/* A run that could not be unmapped is mapped, then. */
static void flush_end(struct stage2 *s, const struct gather *stale,
		      const bool *failed)
{
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < stale->n; i++) {
		frame_t f = stale->frame[i];

		frame_set_remove(&s->busy, f);
		if (!failed[i])
			continue;
		set_entry(s, f, leaf_entry(s, f, pte_rights(entry_of(s, f))));
		page_known(s, f, false);
	}
	pthread_cond_broadcast(&s->settled);
	pthread_mutex_unlock(&s->lock);
}

void evict_flush(struct stage2 *s)
{
	bool failed[GATHER_MAX] = { false };
	struct gather stale;

	pthread_mutex_lock(&s->flushing);
	flush_begin(s, &stale);
	gather_sort(&stale);
	for (unsigned i = 0, run; i < stale.n; i += run) {
		run = gather_run(&stale, i);
		if (backing_unmap(&s->backing, stale.frame[i], run))
			memset(&failed[i], true, run);
	}
	if (stale.n)
		flush_end(s, &stale, failed);
	pthread_mutex_unlock(&s->flushing);
}
