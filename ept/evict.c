/* SPDX-License-Identifier: MIT */
/*
 * Eviction. Pages leave in batches, in these steps:
 *
 *   age     the policy gave them up: unmapped in the table       (lock)
 *   flush   they go from the guest mapping, in merged ranges; from here on
 *           their bytes cannot change without a fault, which rescues them
 *   take    they become leaving                                  (lock)
 *   judge   zero? equal to the stored copy? else store it
 *   commit  who is still leaving loses its frame: busy (lock), punched,
 *           then absent or stored (lock)
 *
 * Invariant: a frame is punched only when its bytes are proven elsewhere, and
 * nobody can reach the page between the proof and the punch. The bytes are
 * judged and stored from a copy: what the alias does not map needs no TLB
 * shootdown when it is punched, which costs more than the copy.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ept/evict.h"

struct batch *evict_batch_new(void)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->bytes = aligned_alloc(PAGE_SIZE, TIER_BATCH * PAGE_SIZE);
	if (!b->bytes) {
		free(b);
		return NULL;
	}
	return b;
}

void evict_batch_free(struct batch *b)
{
	if (b)
		free(b->bytes);
	free(b);
}

bool evict_movable(const struct stage2 *s, frame_t f)
{
	return !s->page[f.v].busy && !pins_hold(&s->pins, f);
}

void evict_take(struct stage2 *s, struct batch *b, gfn_t g)
{
	struct pte e = ept_lookup(&s->ept, g);
	struct victim *v = &b->victim[b->n++];

	*v = (struct victim){ .gfn = g, .frame = pte_frame(e) };
	v->has_copy = s->page[v->frame.v].has_copy;
	if (v->has_copy)
		v->copy =
			swap_slot_of(s->config.swap, s->page[v->frame.v].copy);
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

/* Those of the stale pages that were not touched since: busy until done. */
static void flush_begin(struct stage2 *s, struct gather *stale)
{
	stale->n = 0;
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < s->stale.n; i++) {
		frame_t f = s->stale.frame[i];
		struct pte e = ept_lookup(&s->ept, gfn_of_frame(s, f));

		if (pte_kind(e) == PTE_UNMAPPED && !s->page[f.v].busy) {
			s->page[f.v].busy = true;
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
		gfn_t g = gfn_of_frame(s, f);
		struct pte e = ept_lookup(&s->ept, g);

		s->page[f.v].busy = false;
		if (!failed[i])
			continue;
		set_entry(s, g, pte_leaf(f, pte_rights(e)));
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

static bool is_zero(const void *page)
{
	const uint64_t *w = page;

	return w[0] == 0 && memcmp(w, w + 1, PAGE_SIZE - sizeof(*w)) == 0;
}

static void *bytes_of(const struct batch *b, const struct victim *v)
{
	return b->bytes + (v - b->victim) * PAGE_SIZE;
}

static enum fate judge(struct stage2 *s, const struct batch *b,
		       const struct victim *v)
{
	const void *bytes = bytes_of(b, v);

	if (is_zero(bytes))
		return FATE_ZERO;
	if (v->has_copy && swap_same(s->config.swap, v->copy, v->gfn, bytes))
		return FATE_CLEAN;
	return FATE_STORED;
}

static int by_frame(const void *a, const void *b)
{
	uint64_t x = ((const struct victim *)a)->frame.v;
	uint64_t y = ((const struct victim *)b)->frame.v;

	return (x > y) - (x < y);
}

/* Decide each victim's fate, by address: runs are read, and later stored and
 * punched, together. */
static void judge_all(struct stage2 *s, struct batch *b)
{
	qsort(b->victim, b->n, sizeof(b->victim[0]), by_frame);
	for (unsigned i = 0, run; i < b->n; i += run) {
		struct victim *v = &b->victim[i];
		uint64_t start = trace_now(), ticks;
		int r;

		for (run = 1; i + run < b->n; run++)
			if (v[run].frame.v != v->frame.v + run)
				break;
		r = backing_read(&s->backing, v->frame, run, bytes_of(b, v));
		for (unsigned k = 0; k < run; k++) {
			v[k].error = r;
			v[k].fate = r ? FATE_STAYS : judge(s, b, &v[k]);
		}
		ticks = (trace_now() - start) / run;
		for (unsigned k = 0; k < run; k++)
			v[k].ticks = ticks;
	}
}

static void store(struct stage2 *s, struct batch *b)
{
	struct swap_io io[TIER_BATCH];
	uint64_t start = trace_now(), ticks;
	unsigned n = 0;

	for (unsigned i = 0; i < b->n; i++)
		if (b->victim[i].fate == FATE_STORED)
			io[n++] = (struct swap_io){
				.page = bytes_of(b, &b->victim[i]),
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
		v->ticks += ticks;
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
			observe_error(&s->observer, s->config.swap,
				      HISTORY_STORE_ERROR, v->gfn, e);
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
	struct stage2_counters *c = &s->count;

	if (v->fate == FATE_CLEAN) {
		c->clean_dropped++;
		v->slot = v->copy;
	} else if (v->has_copy) {
		swap_release(s->config.swap, v->copy);
	}
	s->page[v->frame.v].has_copy = false;
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
				   .ticks = (uint32_t)v->ticks,
				   .source = (uint8_t)to[v->fate] });
	}
	if (left)
		pthread_cond_broadcast(&s->freed);
	pthread_cond_broadcast(&s->settled);
	pthread_mutex_unlock(&s->lock);
	return left;
}

/* A punch that fails leaves bytes behind that are stored, or zero: a waste,
 * but the page is what its entry says. */
static void punch(struct stage2 *s, struct gather *frames)
{
	for (unsigned i = 0, run; i < frames->n; i += run) {
		run = gather_run(frames, i);
		backing_punch(&s->backing, frames->frame[i], run);
	}
}

unsigned evict_run(struct stage2 *s, struct batch *b)
{
	struct gather frames = { 0 };

	judge_all(s, b);
	store(s, b);
	commit_begin(s, b, &frames);
	punch(s, &frames);
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

/* Unmap the page of @g for good reason: known to nobody, and flushed. Both
 * locks are held, and the lock dropped meanwhile. False: it was touched. */
static bool withdraw(struct stage2 *s, gfn_t g, frame_t f)
{
	struct pte e;

	evict_age(s, g);
	pthread_mutex_unlock(&s->lock);
	evict_flush(s);
	pthread_mutex_lock(&s->lock);
	e = ept_lookup(&s->ept, g);
	if (pte_kind(e) != PTE_UNMAPPED || !evict_movable(s, f))
		return false;
	page_unknown(s, f);
	return true;
}

/* Evict the page of @g, which has a frame; both locks held, dropped. */
static int evict_one(struct stage2 *s, gfn_t g, frame_t f)
{
	struct batch *b = evict_batch_new();
	int r = -ENOMEM;

	if (b && withdraw(s, g, f)) {
		evict_take(s, b, g);
		pthread_mutex_unlock(&s->lock);
		r = evict_run(s, b) ? 0 : b->victim[0].error;
		pthread_mutex_lock(&s->lock);
	} else if (b) {
		r = -EBUSY;
	}
	evict_batch_free(b);
	return r;
}

int stage2_evict(struct stage2 *s, gfn_t g)
{
	struct pte e;
	int r = -EBUSY;

	if (!s->config.paging)
		return -ENOTSUP;
	e = lock_settled(s, g);
	switch (pte_kind(e)) {
	case PTE_LEAF:
	case PTE_UNMAPPED:
		if (evict_movable(s, pte_frame(e)))
			r = evict_one(s, g, pte_frame(e));
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
	evict_flush(s);
	pthread_mutex_unlock(&s->evicting);
	return r;
}
