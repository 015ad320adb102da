/* SPDX-License-Identifier: MIT */
/*
 * Discarding: the guest says that it needs the bytes of its pages no longer.
 * What is stored gives its slot back at once. What has a frame goes the way of
 * eviction without its proof, in batches:
 *
 *   let go   leaving and busy, known to nobody               (lock)
 *   punch    out of both mappings and the memfd, run by run
 *   gone     absent, its copy in swap given back             (lock)
 *
 * Of what is only hinted at, a page that was used since stays, unless it holds
 * zeros: a guest that clears what it allocates has used all that it hints at.
 *
 * A page on its way out is taken away from its batch, which finds that out.
 */
#include <string.h>

#include "ept/decide.h"
#include "ept/evict.h"
#include "ept/guest_mem.h"

struct discard {
	struct stage2 *s;
	enum guest_gift why;
	frame_t next, end; /* still to go, of one region */
	struct gather going; /* a batch, in order */
	uint8_t rights[GATHER_MAX]; /* of each */
	bool used[GATHER_MAX]; /* it goes only if it is zeros */
	uint64_t tsc; /* of the batch */
	uint64_t pages; /* that came out of memory */
};

/* A batch of frames never fills a table of them, so no entry becomes larger than
 * a frame, or is split: storing them cannot fail. */
static_assert(GATHER_MAX < LEVEL_ENTRIES, "a batch is less than a table");

static struct pte absent(struct pte e)
{
	return pte_away(PTE_ABSENT, PAGER_ZERO, pte_rights(e));
}

static void trace(struct discard *d, gfn_t g, struct pte e)
{
	const struct trace_record r = {
		.tsc = d->tsc,
		.source = d->why == GUEST_BALLOONED ? TRACE_SOURCE_BALLOON
						    : TRACE_SOURCE_REPORT,
	};

	trace_page(d->s, TRACE_DISCARD, g, e, absent(e), r);
}

/* Page @g is in swap, or somewhere a pager finds it. */
static void let_go_away(struct discard *d, gfn_t g)
{
	struct pte e = ept_lookup(&d->s->ept, g);

	if (e.v == absent(e).v || ept_map(&d->s->ept, g, 1, absent(e)))
		return; /* no memory to split a large entry: it stays */
	trace(d, g, e);
	if (pte_kind(e) == PTE_STORED)
		swap_release(d->s->config.swap, pte_slot(e));
}

static void let_go_resident(struct discard *d, frame_t f, struct pte e,
			    bool used)
{
	struct stage2 *s = d->s;

	page_unknown(s, f);
	sampler_forget(s, f);
	frame_set_add(&s->busy, f);
	d->rights[d->going.n] = (uint8_t)pte_rights(e);
	d->used[d->going.n] = used;
	gather_add(&d->going, f);
}

/* Hinted, and used since the round began. Between rounds everything is. */
static bool is_used(const struct discard *d, frame_t f)
{
	return d->why == GUEST_HINTED &&
	       (!d->s->used.word || frame_set_has(&d->s->used, f));
}

/* It holds still: then it can be looked at. */
static void let_go_used(struct discard *d, frame_t f, struct pte e)
{
	struct stage2 *s = d->s;

	if (s->used.word && s->frame_pages == 1 &&
	    pte_kind(e) == PTE_UNMAPPED && evict_movable(s, f))
		let_go_resident(d, f, e, true);
}

enum verdict { DONE, LATER };

/* One frame. LATER: others are at it. The lock is held. */
static enum verdict let_go(struct discard *d, frame_t f)
{
	struct stage2 *s = d->s;
	struct pte e = entry_of(s, f);
	gfn_t g = gfn_of_frame(s, f);

	if (is_used(d, f)) {
		let_go_used(d, f, e);
		return DONE;
	}
	switch (pte_kind(e)) {
	case PTE_LEAF:
	case PTE_UNMAPPED:
	case PTE_LEAVING:
		if (pins_hold(&s->pins, f))
			return DONE;
		if (frame_set_has(&s->busy, f))
			return LATER;
		let_go_resident(d, f, e, false);
		return DONE;
	case PTE_ARRIVING:
		return LATER;
	case PTE_ABSENT:
	case PTE_STORED:
		for (unsigned i = 0; i < s->frame_pages; i++, g.v++)
			let_go_away(d, g);
		sampler_forget(s, f);
		return DONE;
	default:
		return DONE;
	}
}

static struct pte leaving(const struct discard *d, unsigned i)
{
	return away_entry(d->s, PTE_LEAVING, d->going.frame[i], d->rights[i]);
}

/* How many of the batch from the @i-th on can be written in one go. */
static unsigned run_of(const struct discard *d, unsigned i)
{
	unsigned most = gather_run(&d->going, i), run = 1;

	while (run < most && d->rights[i + run] == d->rights[i])
		run++;
	return run;
}

/* Store the entries of the batch, run by run. The lock is held. */
static void enter(struct discard *d, bool gone)
{
	struct stage2 *s = d->s;

	for (unsigned i = 0, run; i < d->going.n; i += run) {
		struct pte e = leaving(d, i);
		int r;

		run = run_of(d, i);
		r = ept_map(&s->ept, gfn_of_frame(s, d->going.frame[i]),
			    run * s->frame_pages, gone ? absent(e) : e);
		assert(r == 0);
		(void)r;
	}
}

/* What is punched next is nothing that a flush has to see to. */
static void enter_leaving(struct discard *d)
{
	struct ept *t = &d->s->ept;
	void (*stale)(void *ctx, gfn_t first, uint64_t pages) = t->stale;

	t->stale = NULL;
	enter(d, false);
	t->stale = stale;
}

/* The @i-th of the batch was used, and not to clear it. */
static bool must_stay(const struct discard *d, unsigned i)
{
	uint64_t word[PAGE_SIZE / 8];

	if (!d->used[i])
		return false;
	return backing_read(&d->s->backing, d->going.frame[i], 1, word) ||
	       word[0] || memcmp(word, word + 1, PAGE_SIZE - sizeof(*word));
}

static void keep(struct stage2 *s, frame_t f)
{
	pthread_mutex_lock(&s->lock);
	evict_cancel(s, f);
	frame_set_remove(&s->busy, f);
	pthread_cond_broadcast(&s->settled);
	pthread_mutex_unlock(&s->lock);
}

static void keep_used(struct discard *d)
{
	const unsigned all = d->going.n;

	d->going.n = 0;
	for (unsigned i = 0; i < all; i++) {
		const frame_t f = d->going.frame[i];

		if (must_stay(d, i)) {
			keep(d->s, f);
			continue;
		}
		d->rights[d->going.n] = d->rights[i];
		gather_add(&d->going, f);
	}
}

static void drop_copy(struct stage2 *s, frame_t f, unsigned i)
{
	slot_t copy;

	if (copy_of(s, page_of(s, f) + i, &copy))
		swap_release(s->config.swap, copy);
	copy_forget(s, page_of(s, f) + i);
}

/* The @n-th of the batch. */
static void frame_gone(struct discard *d, unsigned n)
{
	struct stage2 *s = d->s;
	const frame_t f = d->going.frame[n];
	struct pte e = leaving(d, n);
	gfn_t g = gfn_of_frame(s, f);

	for (unsigned i = 0; i < s->frame_pages; i++, g.v++) {
		trace(d, g, pte_offset(e, i));
		drop_copy(s, f, i);
	}
	frame_set_remove(&s->busy, f);
	d->pages += s->frame_pages;
}

/* What was punched is mapped nowhere, if it was to be flushed before. */
static void forget_stale(struct stage2 *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->stale.n; i++)
		if (pte_has_frame(entry_of(s, s->stale.frame[i])))
			s->stale.frame[n++] = s->stale.frame[i];
	s->stale.n = n;
}

static void commit(struct discard *d)
{
	struct stage2 *s = d->s;

	if (d->why == GUEST_HINTED)
		keep_used(d);
	evict_punch(s, &d->going);
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < d->going.n; i++)
		frame_gone(d, i);
	enter(d, true);
	forget_stale(s);
	pthread_cond_broadcast(&s->freed);
	pthread_cond_broadcast(&s->settled);
	pthread_mutex_unlock(&s->lock);
}

/* The next batch, as long as nothing stands in its way. */
static void discard_some(struct discard *d)
{
	struct stage2 *s = d->s;
	enum verdict v = DONE;

	d->going.n = 0;
	d->tsc = trace_now();
	pthread_mutex_lock(&s->lock);
	if (s->stopping)
		d->end = d->next;
	while (d->next.v < d->end.v && d->going.n < GATHER_MAX) {
		v = let_go(d, d->next);
		if (v != DONE)
			break;
		d->next.v++;
	}
	enter_leaving(d);
	if (v == LATER && !d->going.n)
		wait_settled(s);
	pthread_mutex_unlock(&s->lock);
	if (d->going.n)
		commit(d);
}

/* The whole frames of region @r that lie in [at, at + len). */
static void clip(struct discard *d, const struct stage2_region *r, gpa_t at,
		 uint64_t len)
{
	uint64_t first = gpa_of(r->first).v, end = at.v + len;
	uint64_t bytes = r->pages << PAGE_SHIFT;
	uint64_t frame = d->s->frame_pages << PAGE_SHIFT;
	uint64_t from = at.v < first ? 0 : at.v - first;
	uint64_t to = end < first ? 0 : end - first;
	frame_t base;

	if (from > bytes)
		from = bytes;
	if (to > bytes)
		to = bytes;
	frame_of(d->s, r->first, &base);
	d->next.v = base.v + (from + frame - 1) / frame;
	d->end.v = base.v + to / frame;
}

uint64_t guest_discard(struct stage2 *s, gpa_t at, uint64_t len,
		       enum guest_gift why)
{
	struct discard d = { .s = s, .why = why };

	if (!s->config.paging || at.v + len < at.v)
		return 0;
	for (unsigned i = 0; i < s->config.regions; i++) {
		if (s->config.share[i])
			continue;
		clip(&d, &s->config.region[i], at, len);
		if (why == GUEST_HINTED)
			hints_settle(s, d.next, d.end);
		while (d.next.v < d.end.v)
			discard_some(&d);
	}
	return d.pages;
}
