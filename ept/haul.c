/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ept/decide.h"
#include "ept/haul.h"
#include "ept/uffd.h"

static bool is_large(const struct stage2 *s)
{
	return s->frame_pages > 1;
}

unsigned haul_room(const struct stage2 *s)
{
	return is_large(s) ? 1 : TIER_BATCH;
}

/* All that a haul points to: what is not touched costs nothing. */
struct room {
	uint8_t bytes[TIER_BATCH][PAGE_SIZE];
	struct arrival page[TIER_BATCH];
	struct pte from[LEVEL_ENTRIES];
	struct request request;
};

struct haul *haul_new(void)
{
	struct room *room = zeroed_new(sizeof(*room));
	struct haul *h = malloc(sizeof(*h));

	if (room && h) {
		*h = (struct haul){ .page = room->page,
				    .from = room->from,
				    .bytes = room->bytes[0],
				    .request = &room->request };
		return h;
	}
	zeroed_free(room, sizeof(*room));
	free(h);
	return NULL;
}

void haul_free(struct haul *h)
{
	if (h)
		zeroed_free(h->bytes, sizeof(struct room));
	free(h);
}

void haul_rest(struct haul *h)
{
	if (h->used)
		zeroed_again(h->bytes, sizeof(struct room));
	h->used = false;
}

/* Where the bytes of the arrival's @i-th page are made. */
static void *bytes_of(struct stage2 *s, const struct haul *h,
		      const struct arrival *a, unsigned i)
{
	if (is_large(s))
		return page_alias(s, arrival_gfn(a, i));
	return h->bytes + (a - h->page) * PAGE_SIZE;
}

struct pte haul_before(const struct arrival *a, gfn_t g)
{
	uint64_t i = g.v - a->gfn.v;

	return a->in_memory ? pte_offset(a->from[0], i) : a->from[i];
}

/* The first of its pages that could not be had counts. */
static void fail(struct arrival *a, gfn_t g, int error)
{
	if (a->error)
		return;
	a->failed = g;
	a->error = error;
}

bool haul_is_back(const struct stage2 *s, const struct arrival *a)
{
	return !a->in_memory &&
	       ept_lookup(&s->ept, a->failed).v == haul_before(a, a->failed).v;
}

void haul_failed(struct stage2 *s, const struct arrival *a)
{
	tell_owner(s, a->failed, haul_before(a, a->failed), a->error);
}

static void load(struct stage2 *s, struct request *q)
{
	swap_load(s->config.swap, q->io, q->n);
	for (unsigned k = 0; k < q->n; k++) {
		q->of[k]->source = TRACE_SOURCE_SWAP;
		if (q->io[k].error)
			fail(q->of[k], q->io[k].gfn, q->io[k].error);
	}
	q->n = 0;
}

static void fill_stored(struct stage2 *s, const struct haul *h,
			struct arrival *a, unsigned i)
{
	struct request *q = h->request;

	q->of[q->n] = a;
	q->io[q->n++] = (struct swap_io){ .page = bytes_of(s, h, a, i),
					  .gfn = arrival_gfn(a, i),
					  .slot = pte_slot(a->from[i]) };
	if (q->n == TIER_BATCH)
		load(s, q);
}

/* What a page is made of by its pager; a large frame is zeros already. */
static void fill_absent(struct stage2 *s, const struct haul *h,
			struct arrival *a, unsigned i)
{
	struct pager *pager = s->pager[pte_payload(a->from[i])];
	int r = 0;

	if (a->source == TRACE_SOURCE_MEMORY || pager->ops->fill)
		a->source = pager->ops->source;
	if (pager->ops->fill)
		r = pager->ops->fill(pager, arrival_gfn(a, i),
				     pte_payload(a->from[i]),
				     bytes_of(s, h, a, i));
	if (r == PAGER_FOUND)
		a->source = TRACE_SOURCE_SHARED;
	else if (r)
		fail(a, arrival_gfn(a, i), r);
}

static void fill_pages(struct stage2 *s, const struct haul *h,
		       struct arrival *a)
{
	for (unsigned i = 0; i < s->frame_pages; i++)
		if (pte_kind(a->from[i]) == PTE_STORED)
			fill_stored(s, h, a, i);
		else
			fill_absent(s, h, a, i);
}

void haul_fill(struct stage2 *s, struct haul *h, unsigned first, unsigned n)
{
	h->request->n = 0;
	for (unsigned i = first; i < first + n; i++) {
		struct arrival *a = &h->page[i];
		int r;

		if (a->in_memory)
			continue;
		r = is_large(s) ? backing_take(&s->backing, a->frame) : 0;
		if (r)
			fail(a, a->gfn, r);
		else
			fill_pages(s, h, a);
	}
	if (h->request->n)
		load(s, h->request);
	for (unsigned i = first; i < first + n && is_large(s); i++)
		if (h->page[i].error)
			backing_punch(&s->backing, h->page[i].frame, 1);
}

/* Count the pages in, by @by: 1, or -1 when the frame could not be had. */
static void count_fill(struct stage2 *s, const struct arrival *a, uint64_t by)
{
	struct stage2_counters *c = &s->count;

	for (unsigned i = 0; i < s->frame_pages && !a->in_memory; i++)
		if (pte_kind(a->from[i]) == PTE_STORED)
			c->swapped_in += by;
		else if (a->source == TRACE_SOURCE_SHARED)
			c->share_found += by;
		else if (pte_payload(a->from[i]) >= PAGER_SHARE)
			c->share_read += by;
		else if (pte_payload(a->from[i]) == PAGER_FILE)
			c->file_filled += by;
		else
			c->zero_filled += by;
	if (a->ahead)
		c->mapped_ahead += by;
}

/* What was away goes back where it was. */
static void give_up(struct stage2 *s, struct arrival *a)
{
	assert(!a->in_memory);
	for (unsigned i = 0; i < s->frame_pages; i++)
		set_page(s, arrival_gfn(a, i), a->from[i]);
	pthread_cond_broadcast(&s->freed);
}

/* Pages that came back from swap keep their copies. */
static void keep_copies(struct stage2 *s, const struct arrival *a)
{
	for (unsigned i = 0; i < s->frame_pages; i++)
		if (pte_kind(a->from[i]) == PTE_STORED)
			copy_keep(s, page_of(s, a->frame) + i,
				  pte_slot(a->from[i]));
}

static void trace_ahead(struct stage2 *s, const struct arrival *a)
{
	trace_page(s, TRACE_AHEAD, a->gfn, a->from[0], a->to,
		   (struct trace_record){ .tsc = trace_now(),
					  .source = (uint8_t)a->source });
}

/* From now on the table says that it is mapped, and trace and counters say
 * the same. */
static void enter(struct stage2 *s, struct arrival *a)
{
	set_entry(s, a->frame, a->to);
	frame_set_add(&s->busy, a->frame);
	count_fill(s, a, 1);
	if (a->ahead)
		trace_ahead(s, a);
	sampler_reference(s, a->frame);
	if (a->in_memory) {
		page_known(s, a->frame, !a->ahead);
		return;
	}
	decide_insert(s, a->frame);
	keep_copies(s, a);
}

/* The host could not map it after all. What has its bytes in the frame may
 * stay: it will be mapped at its next touch. What has none goes back where it
 * was. */
static void leave(struct stage2 *s, struct arrival *a)
{
	if (a->in_memory || is_large(s))
		return;
	count_fill(s, a, UINT64_MAX);
	page_unknown(s, a->frame);
	copy_forget(s, page_of(s, a->frame));
	give_up(s, a);
}

/* The ways in which bytes come into the host. */
enum way { WAY_CONTINUE, WAY_ZERO, WAY_COPY, WAY_SHARE };

static enum way way_of(const struct stage2 *s, const struct arrival *a)
{
	if (a->in_memory || is_large(s) || a->source == TRACE_SOURCE_SHARED)
		return WAY_CONTINUE;
	if (a->source == TRACE_SOURCE_ZERO)
		return WAY_ZERO;
	return share_of(s, a->frame) ? WAY_SHARE : WAY_COPY;
}

/* Do both come by the same call? Each share is a mapping of its own. */
static bool alike(const struct stage2 *s, const struct arrival *a,
		  const struct arrival *b)
{
	return !b->error && b->frame.v == a->frame.v + 1 &&
	       way_of(s, a) == way_of(s, b) && way_of(s, a) != WAY_SHARE &&
	       share_of(s, a->frame) == share_of(s, b->frame);
}

/* How many of the run's @frames there are now; *error says why not all. */
static uint64_t install(struct stage2 *s, const struct haul *h,
			const struct arrival *a, uint64_t frames, int *error)
{
	void *at = backing_guest(&s->backing, a->frame);
	uint64_t len = backing_span(&s->backing, frames), done;
	int uffd = s->faults.uffd;

	switch (way_of(s, a)) {
	case WAY_SHARE:
		*error = share_install(share_of(s, a->frame), a->gfn, uffd, at,
				       bytes_of(s, h, a, 0));
		return !*error;
	case WAY_CONTINUE:
		done = uffd_continue(uffd, at, len,
				     backing_span(&s->backing, 1), error);
		break;
	case WAY_ZERO:
		done = uffd_zero(uffd, at, len, error);
		break;
	default:
		done = uffd_copy(uffd, at, bytes_of(s, h, a, 0), len, error);
	}
	return done >> s->backing.shift;
}

/* One call a run of frames. */
static void install_all(struct stage2 *s, struct haul *h, unsigned first,
			unsigned n)
{
	for (unsigned i = first, run; i < first + n; i += run) {
		struct arrival *a = &h->page[i];
		int error;

		run = 1;
		if (a->error)
			continue;
		while (i + run < first + n && alike(s, a + run - 1, a + run))
			run++;
		for (uint64_t k = install(s, h, a, run, &error); k < run; k++)
			fail(a + k, a[k].gfn, error);
	}
}

static void settle(struct stage2 *s, struct arrival *a, bool entered)
{
	if (!entered)
		return;
	frame_set_remove(&s->busy, a->frame);
	if (a->error)
		leave(s, a);
}

/* The table says that a page is mapped before its thread can wake, so that no
 * guest sees table or counters behind itself. */
void haul_map(struct stage2 *s, struct haul *h, unsigned first, unsigned n)
{
	bool entered[TIER_BATCH];

	for (unsigned i = first; i < first + n; i++) {
		entered[i] = !h->page[i].error;
		if (entered[i])
			enter(s, &h->page[i]);
		else
			give_up(s, &h->page[i]);
	}
	pthread_mutex_unlock(&s->lock);
	install_all(s, h, first, n);
	pthread_mutex_lock(&s->lock);
	for (unsigned i = first; i < first + n; i++)
		settle(s, &h->page[i], entered[i]);
	pthread_cond_broadcast(&s->settled);
}

void haul_bring(struct stage2 *s, struct haul *h, unsigned first, unsigned n)
{
	pthread_mutex_unlock(&s->lock);
	haul_fill(s, h, first, n);
	pthread_mutex_lock(&s->lock);
	haul_map(s, h, first, n);
}
