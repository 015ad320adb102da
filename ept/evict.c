/* SPDX-License-Identifier: MIT */
/*
 * Eviction. Pages leave in batches, each in four steps:
 *
 *   take    the policy names victims; they become leaving    (lock)
 *   unmap   they go from the guest mapping, in merged ranges; from here on
 *           their bytes cannot change without a fault, which cancels
 *   judge   zero? equal to the stored copy? else store it
 *   commit  who is still leaving loses its frame: busy (lock), punched,
 *           then absent or stored (lock)
 *
 * Invariant: a frame is punched only when its bytes are proven elsewhere, and
 * nobody can reach the page between the proof and the punch.
 */
#include <errno.h>
#include <string.h>

#include "ept/evict.h"

bool evict_movable(const struct stage2 *s, frame_t f)
{
	return !s->page[f.v].pins && !s->page[f.v].busy;
}

void evict_take(struct stage2 *s, struct batch *b, gfn_t g)
{
	struct pte e = ept_lookup(&s->ept, g);
	struct victim *v = &b->victim[b->n++];

	*v = (struct victim){ .gfn = g, .frame = pte_frame(e) };
	set_entry(s, g, pte_away(PTE_LEAVING, v->frame.v, pte_rights(e)));
}

void evict_age(struct stage2 *s, gfn_t g)
{
	struct pte e = ept_lookup(&s->ept, g), after;

	if (pte_kind(e) != PTE_LEAF)
		return;
	after = pte_away(PTE_UNMAPPED, pte_payload(e), pte_rights(e));
	set_entry(s, g, after);
	trace_page(s, TRACE_AGE, g, e, after,
		   (struct trace_record){ .tsc = trace_now() });
}

/* Drop from the guest mapping what the table no longer maps. */
static int unmap_stale(struct stage2 *s)
{
	struct gather stale;

	pthread_mutex_lock(&s->lock);
	stale = s->stale;
	s->stale.n = 0;
	pthread_mutex_unlock(&s->lock);
	return gather_flush(&stale, &s->backing, backing_unmap);
}

static bool is_zero(const void *page)
{
	const uint64_t *w = page;

	return w[0] == 0 && memcmp(w, w + 1, PAGE_SIZE - sizeof(*w)) == 0;
}

/* Nobody else writes page->copy while its page is leaving: reading it without
 * the lock is safe, and cancelling does not change it. */
static enum fate judge(struct stage2 *s, const struct victim *v)
{
	const struct page *page = &s->page[v->frame.v];
	const void *bytes = backing_alias(&s->backing, v->frame);

	if (is_zero(bytes))
		return FATE_ZERO;
	if (page->has_copy &&
	    swap_same(s->config.swap, page->copy, v->gfn, bytes))
		return FATE_CLEAN;
	return FATE_STORED;
}

static void store(struct stage2 *s, struct batch *b)
{
	struct swap_io io[TIER_BATCH];
	uint64_t start = trace_now(), ticks;
	unsigned n = 0;

	for (unsigned i = 0; i < b->n; i++)
		if (b->victim[i].fate == FATE_STORED)
			io[n++] = (struct swap_io){
				.page = backing_alias(&s->backing,
						      b->victim[i].frame),
				.gfn = b->victim[i].gfn,
			};
	if (!n)
		return;
	swap_store(s->config.swap, io, n);
	ticks = (trace_now() - start) / n;
	n = 0;
	for (unsigned i = 0; i < b->n; i++) {
		struct victim *v = &b->victim[i];

		if (v->fate != FATE_STORED)
			continue;
		v->slot = io[n].slot;
		v->error = io[n++].error;
		if (v->error)
			v->fate = FATE_STAYS;
		else
			trace_page(s, TRACE_STORE, v->gfn,
				   pte_away(PTE_LEAVING, v->frame.v, 0),
				   pte_away(PTE_STORED, v->slot.v, 0),
				   (struct trace_record){
					   .tsc = start,
					   .ticks = (uint32_t)ticks });
	}
}

/* Who was touched meanwhile, or could not be stored, stays. */
static void commit_begin(struct stage2 *s, struct batch *b,
			 struct gather *frames)
{
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < b->n; i++) {
		struct victim *v = &b->victim[i];
		struct pte e = ept_lookup(&s->ept, v->gfn);

		if (pte_kind(e) != PTE_LEAVING) {
			if (v->fate == FATE_STORED)
				swap_release(s->config.swap, v->slot);
			v->fate = FATE_STAYS;
			v->error = v->error ? v->error : -EBUSY;
		} else if (v->fate == FATE_STAYS) {
			set_entry(s, v->gfn,
				  pte_away(PTE_UNMAPPED, v->frame.v,
					   pte_rights(e)));
			s->policy->ops->insert(s->policy, v->frame);
		} else {
			s->page[v->frame.v].busy = true;
			gather_add(frames, v->frame);
		}
	}
	pthread_mutex_unlock(&s->lock);
}

/* Where the page is from now on, and what becomes of its older copy. */
static struct pte leave(struct stage2 *s, struct victim *v, unsigned rights)
{
	struct page *page = &s->page[v->frame.v];
	struct stage2_counters *c = &s->count;
	struct swap *swap = s->config.swap;

	if (v->fate == FATE_CLEAN) {
		c->clean_dropped++;
		v->slot = page->copy;
	} else if (page->has_copy) {
		swap_release(swap, page->copy);
	}
	page->has_copy = false;
	if (v->fate == FATE_ZERO) {
		c->zero_elided++;
		return pte_away(PTE_ABSENT, PAGER_ZERO, rights);
	}
	if (v->fate == FATE_STORED)
		c->swapped_out++;
	return pte_away(PTE_STORED, v->slot.v, rights);
}

static unsigned commit_end(struct stage2 *s, struct batch *b)
{
	static const enum trace_source to[] = {
		[FATE_ZERO] = TRACE_SOURCE_ZERO,
		[FATE_CLEAN] = TRACE_SOURCE_CLEAN,
		[FATE_STORED] = TRACE_SOURCE_SWAP,
	};
	unsigned left = 0;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < b->n; i++) {
		struct victim *v = &b->victim[i];
		struct pte e = ept_lookup(&s->ept, v->gfn), after;

		if (v->fate == FATE_STAYS)
			continue;
		after = leave(s, v, pte_rights(e));
		set_entry(s, v->gfn, after);
		s->page[v->frame.v].busy = false;
		left++;
		trace_page(s, TRACE_EVICT, v->gfn, e, after,
			   (struct trace_record){
				   .tsc = trace_now(),
				   .source = (uint8_t)to[v->fate] });
	}
	if (left)
		pthread_cond_broadcast(&s->freed);
	pthread_cond_broadcast(&s->settled);
	pthread_mutex_unlock(&s->lock);
	return left;
}

/* Decide each victim's fate. What could not be unmapped may still change: then
 * none leaves. */
static void judge_all(struct stage2 *s, struct batch *b, int unmap_error)
{
	for (unsigned i = 0; i < b->n; i++) {
		b->victim[i].error = unmap_error;
		b->victim[i].fate =
			unmap_error ? FATE_STAYS : judge(s, &b->victim[i]);
	}
}

/* A punch that fails leaves bytes behind that are stored, or zero: a waste,
 * but the page is what its entry says. */
unsigned evict_run(struct stage2 *s, struct batch *b)
{
	struct gather frames = { 0 };

	judge_all(s, b, unmap_stale(s));
	store(s, b);
	commit_begin(s, b, &frames);
	gather_flush(&frames, &s->backing, backing_punch);
	return commit_end(s, b);
}

/* Take `evicting` and the lock at a moment when nobody is mapping or bringing
 * in the page of @g; its entry then. */
static struct pte lock_settled(struct stage2 *s, gfn_t g)
{
	struct page *page = page_of(s, g);

	for (;;) {
		struct pte e;

		pthread_mutex_lock(&s->evicting);
		pthread_mutex_lock(&s->lock);
		e = ept_lookup(&s->ept, g);
		if (!page || s->stopping ||
		    (!page->busy && pte_kind(e) != PTE_ARRIVING))
			return e;
		pthread_mutex_unlock(&s->evicting);
		pthread_cond_wait(&s->settled, &s->lock);
		pthread_mutex_unlock(&s->lock);
	}
}

int stage2_evict(struct stage2 *s, gfn_t g)
{
	struct batch b = { 0 };
	struct pte e;
	int r = -EBUSY;

	if (!s->config.paging)
		return -ENOTSUP;
	e = lock_settled(s, g);
	switch (pte_kind(e)) {
	case PTE_LEAF:
	case PTE_UNMAPPED:
		if (!evict_movable(s, pte_frame(e)))
			break;
		s->policy->ops->remove(s->policy, pte_frame(e));
		evict_take(s, &b, g);
		break;
	case PTE_ABSENT:
	case PTE_STORED:
		r = 0;
		break;
	case PTE_HOLE:
		r = -EFAULT;
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&s->lock);
	if (b.n)
		r = evict_run(s, &b) ? 0 : b.victim[0].error;
	pthread_mutex_unlock(&s->evicting);
	return r;
}

int stage2_unmap(struct stage2 *s, gfn_t g)
{
	struct pte e;
	int r = 0;

	if (!s->config.paging)
		return -ENOTSUP;
	e = lock_settled(s, g);
	if (pte_kind(e) == PTE_HOLE)
		r = -EFAULT;
	else if (!pte_has_frame(e) || !evict_movable(s, pte_frame(e)))
		r = -EBUSY;
	else
		evict_age(s, g);
	pthread_mutex_unlock(&s->lock);
	unmap_stale(s);
	pthread_mutex_unlock(&s->evicting);
	return r;
}
