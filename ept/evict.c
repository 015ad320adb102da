/* SPDX-License-Identifier: MIT */
/*
 * Eviction. Pages leave in batches, in these steps:
 *
 *   age     the policy gave them up: unmapped in the table       (lock)
 *   flush   they go from the guest mapping, in merged ranges; from here on
 *           their bytes cannot change without a fault, which rescues them
 *   take    they become leaving, and the batch's claim           (lock)
 *   judge   zero? equal to the stored copy? of a shared file, which has its
 *           bytes anyway? else store it
 *   commit  who is still leaving loses its frame: busy (lock), punched,
 *           then absent or stored (lock)
 *
 * Invariant: a frame is punched only when its bytes are proven elsewhere, and
 * nobody can reach the page between the proof and the punch. Who touches or
 * discards a leaving page has it at once, however long the store takes; and
 * what a batch has claimed no other takes before it has ended, so what is
 * leaving still when the batch commits was so all the time. The bytes are
 * judged and stored from a copy: what the alias does not map needs no TLB
 * shootdown when it is punched, which costs more than the copy.
 */
#include <errno.h>
#include <string.h>

#include "ept/decide.h"
#include "ept/evict.h"
#include "ept/probes.h"

/* Nobody has touched or discarded it. */
static bool is_leaving(const struct stage2 *s, frame_t f)
{
	return pte_kind(entry_of(s, f)) == PTE_LEAVING &&
	       !frame_set_has(&s->busy, f);
}

static bool is_zero(const void *page)
{
	const uint64_t *w = page;

	return w[0] == 0 && memcmp(w, w + 1, PAGE_SIZE - sizeof(*w)) == 0;
}

static void *bytes_of(struct batch *b, const struct victim *v)
{
	return b->bytes[v - b->victim];
}

static enum fate judge(struct stage2 *s, struct batch *b,
		       const struct victim *v)
{
	const void *bytes = bytes_of(b, v);

	if (is_zero(bytes))
		return FATE_ZERO;
	if (v->has_copy && swap_same(s->config.swap, v->copy, v->gfn, bytes))
		return FATE_CLEAN;
	return FATE_STORED;
}

/* How many victims from the @i-th on lie in frames that follow each other and
 * are not shared. */
static unsigned run_of(const struct stage2 *s, const struct batch *b,
		       unsigned i)
{
	const struct victim *v = &b->victim[i];
	unsigned each = s->frame_pages, run = each;

	while (i + run < b->n && v[run].frame.v == v->frame.v + run / each &&
	       !share_of(s, v[run].frame))
		run += each;
	return run;
}

/* Decide each victim's fate: runs are read, and later stored and punched,
 * together. */
static void judge_all(struct stage2 *s, struct batch *b)
{
	unsigned each = s->frame_pages;

	for (unsigned i = 0, run; i < b->n; i += run) {
		struct victim *v = &b->victim[i];
		uint64_t start = trace_now(), ticks;
		int r;

		run = 1;
		if (share_of(s, v->frame)) {
			v->fate = FATE_SHARED;
			continue;
		}
		run = run_of(s, b, i);
		r = backing_read(&s->backing, v->frame, run / each,
				 bytes_of(b, v));
		for (unsigned k = 0; k < run; k++) {
			v[k].error = r;
			v[k].fate = r ? FATE_STAYS : judge(s, b, &v[k]);
		}
		ticks = (trace_now() - start) / run;
		for (unsigned k = 0; k < run; k++)
			v[k].ticks = ticks;
	}
}

static void trace_store(struct stage2 *s, const struct victim *v,
			uint64_t start, uint64_t ticks)
{
	trace_page(s, TRACE_STORE, v->gfn,
		   away_entry(s, PTE_LEAVING, v->frame, 0),
		   pte_away(PTE_STORED, v->slot.v, 0),
		   (struct trace_record){
			   .tsc = start,
			   .ticks = (uint32_t)ticks,
		   });
}

/* Store victims [first, first + n), n <= TIER_BATCH, whose fate it is. */
static void store_some(struct stage2 *s, struct batch *b, unsigned first,
		       unsigned n)
{
	uint64_t start = trace_now(), ticks;
	unsigned stored = 0;

	for (unsigned i = first; i < first + n; i++)
		if (b->victim[i].fate == FATE_STORED) {
			b->stored[stored] = &b->victim[i];
			b->io[stored++] = (struct swap_io){
				.page = bytes_of(b, &b->victim[i]),
				.gfn = b->victim[i].gfn,
			};
		}
	if (!stored)
		return;
	swap_store(s->config.swap, b->io, stored);
	ticks = (trace_now() - start) / stored;
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < stored; i++) {
		struct victim *v = b->stored[i];

		v->slot = b->io[i].slot;
		v->error = b->io[i].error;
		v->ticks += ticks;
		if (v->error)
			v->fate = FATE_STAYS;
		else
			trace_store(s, v, start, ticks);
	}
	pthread_mutex_unlock(&s->lock);
}

static void store(struct stage2 *s, struct batch *b)
{
	for (unsigned i = 0; i < b->n; i += TIER_BATCH)
		store_some(s, b, i,
			   b->n - i < TIER_BATCH ? b->n - i : TIER_BATCH);
}

/* Who was touched or discarded meanwhile is not ours, and a frame of which a
 * page could not be stored stays: what was stored of it is for nothing. */
static bool stays(struct stage2 *s, const struct victim *v, int *error)
{
	*error = -EBUSY;
	if (!is_leaving(s, v->frame))
		return true;
	for (unsigned i = 0; i < s->frame_pages; i++)
		if (v[i].fate == FATE_STAYS) {
			*error = v[i].error;
			return true;
		}
	return false;
}

static void keep(struct stage2 *s, struct victim *v, int error)
{
	struct pte e = ept_lookup(&s->ept, v->gfn);

	for (unsigned i = 0; i < s->frame_pages; i++) {
		if (v[i].fate == FATE_STORED)
			swap_release(s->config.swap, v[i].slot);
		else if (v[i].fate == FATE_STAYS)
			observe_error(&s->observer, s->config.swap,
				      HISTORY_STORE_ERROR, v[i].gfn, e);
		v[i].fate = FATE_STAYS;
		v[i].error = error;
	}
	if (is_leaving(s, v->frame))
		evict_cancel(s, v->frame);
}

static void commit_begin(struct stage2 *s, struct batch *b)
{
	b->going.n = 0;
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < b->n; i += s->frame_pages) {
		struct victim *v = &b->victim[i];
		int error;

		if (stays(s, v, &error)) {
			keep(s, v, error);
			continue;
		}
		frame_set_add(&s->busy, v->frame);
		if (v->fate != FATE_SHARED)
			gather_add(&b->going, v->frame);
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
	if (v->fate == FATE_ZERO) {
		c->zero_elided++;
		return pte_away(PTE_ABSENT, PAGER_ZERO, rights);
	}
	if (v->fate == FATE_SHARED) {
		c->clean_dropped++;
		return pte_away(PTE_ABSENT,
				PAGER_SHARE + region_of(s, v->frame), rights);
	}
	if (v->fate == FATE_STORED)
		c->swapped_out++;
	return pte_away(PTE_STORED, v->slot.v, rights);
}

static void part(struct stage2 *s, struct victim *v)
{
	static const enum trace_source to[] = {
		[FATE_ZERO] = TRACE_SOURCE_ZERO,
		[FATE_CLEAN] = TRACE_SOURCE_CLEAN,
		[FATE_STORED] = TRACE_SOURCE_SWAP,
		[FATE_SHARED] = TRACE_SOURCE_SHARED,
	};
	struct pte e = ept_lookup(&s->ept, v->gfn);
	struct pte after = leave(s, v, pte_rights(e));

	set_page(s, v->gfn, after);
	s->left = v->gfn;
	probe_evict(v->gfn, (uint8_t)to[v->fate], (uint32_t)v->ticks);
	trace_page(s, TRACE_EVICT, v->gfn, e, after,
		   (struct trace_record){ .tsc = trace_now(),
					  .ticks = (uint32_t)v->ticks,
					  .source = (uint8_t)to[v->fate] });
}

/* Returns how many pages left. */
static unsigned commit_end(struct stage2 *s, struct batch *b)
{
	unsigned left = 0;

	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < b->n; i++) {
		struct victim *v = &b->victim[i];

		if (v->fate == FATE_STAYS)
			continue;
		part(s, v);
		copy_forget(s, page_of(s, v->frame) + i % s->frame_pages);
		frame_set_remove(&s->busy, v->frame);
		left++;
	}
	evict_batch_ends(s, b);
	if (left)
		pthread_cond_broadcast(&s->freed);
	pthread_cond_broadcast(&s->settled);
	pthread_mutex_unlock(&s->lock);
	return left;
}

void evict_punch(struct stage2 *s, const struct gather *going)
{
	frames_measure(s);
	for (unsigned i = 0, run; i < going->n; i += run) {
		run = gather_run(going, i);
		backing_punch(&s->backing, going->frame[i], run);
	}
}

unsigned evict_run(struct stage2 *s, struct batch *b)
{
	judge_all(s, b);
	store(s, b);
	commit_begin(s, b);
	evict_punch(s, &b->going);
	return commit_end(s, b);
}
