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
 * `evicting` is held throughout: a batch on its way out may be comparing pages
 * with the very copies that are given back here.
 */
#include "ept/evict.h"
#include "ept/guest_mem.h"

struct discard {
	struct stage2 *s;
	enum guest_gift why;
	frame_t next, end; /* still to go */
	struct gather going;
	uint64_t pages; /* that came out of memory */
};

static struct pte absent(struct pte e)
{
	return pte_away(PTE_ABSENT, PAGER_ZERO, pte_rights(e));
}

static enum trace_source source_of(enum guest_gift why)
{
	return why == GUEST_BALLOONED ? TRACE_SOURCE_BALLOON
				      : TRACE_SOURCE_REPORT;
}

static void trace(struct discard *d, gfn_t g, struct pte e)
{
	trace_page(
		d->s, TRACE_DISCARD, g, e, absent(e),
		(struct trace_record){ .tsc = trace_now(),
				       .source = (uint8_t)source_of(d->why) });
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

static void let_go_resident(struct discard *d, frame_t f, struct pte e)
{
	struct stage2 *s = d->s;

	page_unknown(s, f);
	sampler_forget(s, f);
	set_entry(s, f, away_entry(s, PTE_LEAVING, f, pte_rights(e)));
	frame_set_add(&s->busy, f);
	gather_add(&d->going, f);
}

/* Hinted, and used since the round began: it is not ours to take. Between
 * rounds everything is. */
static bool is_used(const struct discard *d, frame_t f)
{
	return d->why == GUEST_HINTED &&
	       (!d->s->used.word || frame_set_has(&d->s->used, f));
}

enum verdict { DONE, LATER, FLUSH };

/* One frame. LATER: others are at it; FLUSH: one more page would be more than
 * a flush can take. Both locks are held. */
static enum verdict let_go(struct discard *d, frame_t f)
{
	struct stage2 *s = d->s;
	struct pte e = entry_of(s, f);
	gfn_t g = gfn_of_frame(s, f);

	if (is_used(d, f))
		return DONE;
	switch (pte_kind(e)) {
	case PTE_LEAF:
	case PTE_UNMAPPED:
		if (pins_hold(&s->pins, f))
			return DONE;
		if (frame_set_has(&s->busy, f))
			return LATER;
		if (s->stale.n == GATHER_MAX)
			return FLUSH;
		let_go_resident(d, f, e);
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

static void punch(struct discard *d)
{
	for (unsigned i = 0, run; i < d->going.n; i += run) {
		run = gather_run(&d->going, i);
		backing_punch(&d->s->backing, d->going.frame[i], run);
	}
}

static void drop_copy(struct stage2 *s, frame_t f, unsigned i)
{
	slot_t copy;

	if (copy_of(s, page_of(s, f) + i, &copy))
		swap_release(s->config.swap, copy);
	copy_forget(s, page_of(s, f) + i);
}

static void frame_gone(struct discard *d, frame_t f)
{
	struct stage2 *s = d->s;
	struct pte e = entry_of(s, f);
	gfn_t g = gfn_of_frame(s, f);

	for (unsigned i = 0; i < s->frame_pages; i++, g.v++) {
		trace(d, g, pte_offset(e, i));
		drop_copy(s, f, i);
	}
	set_entry(s, f, absent(e));
	frame_set_remove(&s->busy, f);
	d->pages += s->frame_pages;
}

/* What was punched is mapped nowhere: a flush has nothing to do with it. */
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

	punch(d);
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < d->going.n; i++)
		frame_gone(d, d->going.frame[i]);
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
	pthread_mutex_lock(&s->evicting);
	pthread_mutex_lock(&s->lock);
	if (s->stopping)
		d->end = d->next;
	while (d->next.v < d->end.v && d->going.n < GATHER_MAX) {
		v = let_go(d, d->next);
		if (v != DONE)
			break;
		d->next.v++;
	}
	if (v == LATER && !d->going.n)
		wait_settled(s);
	pthread_mutex_unlock(&s->lock);
	if (v == FLUSH)
		evict_flush(s);
	if (d->going.n)
		commit(d);
	pthread_mutex_unlock(&s->evicting);
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
		while (d.next.v < d.end.v)
			discard_some(&d);
	}
	return d.pages;
}
