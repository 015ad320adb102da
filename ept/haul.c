/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "ept/haul.h"
#include "ept/uffd.h"

struct haul *haul_new(unsigned pages)
{
	struct haul *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->bytes = aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE);
	if (!h->bytes) {
		free(h);
		return NULL;
	}
	return h;
}

void haul_free(struct haul *h)
{
	if (h)
		free(h->bytes);
	free(h);
}

static void *bytes_of(const struct haul *h, const struct arrival *a)
{
	return h->bytes + (a - h->page) * PAGE_SIZE;
}

static void add(struct haul *h, gfn_t g, frame_t f, struct pte from)
{
	h->page[h->n++] = (struct arrival){
		.gfn = g,
		.frame = f,
		.from = from,
		.to = pte_leaf(f, pte_rights(from)),
		.source = TRACE_SOURCE_MEMORY,
	};
}

/* Its bytes are elsewhere: it needs a frame. */
static enum haul_take take_away(struct stage2 *s, struct haul *h, gfn_t g,
				frame_t f, struct pte e, int *error)
{
	if (!frames_free(s))
		return HAUL_NO_FRAME;
	*error = ept_map(&s->ept, g, 1,
			 pte_away(PTE_ARRIVING, f.v, pte_rights(e)));
	if (*error) /* no memory to split a large entry */
		return HAUL_LOST;
	add(h, g, f, e);
	if (frames_wanted(s))
		pthread_cond_signal(&s->work);
	return HAUL_TAKEN;
}

/* A touch in time: the page stays. Its place in the policy was given up. */
static struct pte cancel_leaving(struct stage2 *s, gfn_t g, struct pte e)
{
	struct pte back = pte_away(PTE_UNMAPPED, pte_payload(e), pte_rights(e));

	set_entry(s, g, back);
	s->policy->ops->insert(s->policy, pte_frame(e));
	return back;
}

enum haul_take haul_take(struct stage2 *s, struct haul *h, gfn_t g, int *error)
{
	struct pte e = ept_lookup(&s->ept, g);
	frame_t f;

	*error = -EFAULT;
	if (!frame_of(s, g, &f))
		return HAUL_LOST;
	switch (pte_kind(e)) {
	case PTE_LEAF:
		return s->page[f.v].busy ? HAUL_MOVING : HAUL_THERE;
	case PTE_LEAVING:
	case PTE_UNMAPPED:
		if (s->page[f.v].busy)
			return HAUL_MOVING;
		if (pte_kind(e) == PTE_LEAVING)
			e = cancel_leaving(s, g, e);
		s->page[f.v].busy = true;
		add(h, g, f, e);
		return HAUL_TAKEN;
	case PTE_ARRIVING:
		return HAUL_MOVING;
	case PTE_ABSENT:
	case PTE_STORED:
		return take_away(s, h, g, f, e, error);
	case PTE_POISONED:
		*error = -EHWPOISON;
		return HAUL_LOST;
	default:
		return HAUL_LOST;
	}
}

/* Once stopping, what is at hand is still given, but nobody waits. */
int haul_take_waiting(struct stage2 *s, struct haul *h, gfn_t g)
{
	for (;;) {
		int error;

		switch (haul_take(s, h, g, &error)) {
		case HAUL_TAKEN:
			return 0;
		case HAUL_THERE:
			return 1;
		case HAUL_LOST:
			if (error == -ENOMEM)
				tell_owner(s, g, ept_lookup(&s->ept, g), error);
			return error;
		case HAUL_MOVING:
			if (s->stopping)
				return -ECANCELED;
			wait_settled(s);
			break;
		case HAUL_NO_FRAME:
			if (s->stopping)
				return -ECANCELED;
			wait_for_frame(s);
			break;
		}
	}
}

static void fill_from(struct pager *pager, struct haul *h, struct arrival *a)
{
	a->source = pager->ops->source;
	if (pager->ops->fill)
		a->error = pager->ops->fill(pager, a->gfn, pte_payload(a->from),
					    bytes_of(h, a));
}

/* All that are stored are asked for together, so that a tier can queue them. */
static void fill_stored(struct stage2 *s, struct haul *h,
			struct arrival *const *stored, unsigned n)
{
	struct swap_io io[TIER_BATCH];

	for (unsigned i = 0; i < n; i++)
		io[i] = (struct swap_io){ .page = bytes_of(h, stored[i]),
					  .gfn = stored[i]->gfn,
					  .slot = pte_slot(stored[i]->from) };
	swap_load(s->config.swap, io, n);
	for (unsigned i = 0; i < n; i++) {
		stored[i]->source = TRACE_SOURCE_SWAP;
		stored[i]->error = io[i].error;
	}
}

void haul_fill(struct stage2 *s, struct haul *h, unsigned first, unsigned n)
{
	struct arrival *stored[TIER_BATCH];
	unsigned count = 0;

	for (unsigned i = first; i < first + n; i++) {
		struct arrival *a = &h->page[i];

		if (pte_kind(a->from) == PTE_STORED)
			stored[count++] = a;
		else if (pte_kind(a->from) == PTE_ABSENT)
			fill_from(s->pager[pte_payload(a->from)], h, a);
	}
	if (count)
		fill_stored(s, h, stored, count);
}

static bool in_memory(const struct arrival *a)
{
	return pte_kind(a->from) == PTE_UNMAPPED;
}

/* Count the page in, by @by: 1, or -1 when its frame could not be had. */
static void count_fill(struct stage2 *s, const struct arrival *a, uint64_t by)
{
	struct stage2_counters *c = &s->count;

	if (a->source == TRACE_SOURCE_ZERO)
		c->zero_filled += by;
	else if (a->source == TRACE_SOURCE_FILE)
		c->file_filled += by;
	else if (a->source == TRACE_SOURCE_SWAP)
		c->swapped_in += by;
	if (a->ahead)
		c->mapped_ahead += by;
}

/* It goes back where it was. */
static void give_up(struct stage2 *s, struct arrival *a)
{
	set_entry(s, a->gfn, a->from);
	s->page[a->frame.v].busy = false;
	pthread_cond_broadcast(&s->freed);
}

/* From now on the table says that it is mapped. */
static void enter(struct stage2 *s, struct arrival *a)
{
	struct page *page = &s->page[a->frame.v];

	set_entry(s, a->gfn, a->to);
	page->busy = true;
	count_fill(s, a, 1);
	sampler_reference(s, a->frame);
	if (in_memory(a)) {
		page_known(s, a->frame, !a->ahead);
		return;
	}
	s->policy->ops->insert(s->policy, a->frame);
	if (pte_kind(a->from) == PTE_STORED) {
		page->has_copy = true;
		page->copy = swap_record_of_slot(pte_slot(a->from)) &
			     SWAP_RECORDS_MASK;
	}
}

/* The host could not map it after all: undo. What was in memory still is. */
static void leave(struct stage2 *s, struct arrival *a)
{
	count_fill(s, a, UINT64_MAX);
	if (!in_memory(a)) {
		page_unknown(s, a->frame);
		s->page[a->frame.v].has_copy = false;
	}
	give_up(s, a);
}

/* Do both come into the host by the same call? */
static bool alike(const struct arrival *a, const struct arrival *b)
{
	return !b->error && b->frame.v == a->frame.v + 1 &&
	       in_memory(a) == in_memory(b) &&
	       (a->source == TRACE_SOURCE_ZERO) ==
		       (b->source == TRACE_SOURCE_ZERO);
}

/* How many of the run's @pages there are now; *error says why not all. */
static uint64_t install(struct stage2 *s, const struct haul *h,
			const struct arrival *a, uint64_t pages, int *error)
{
	void *at = backing_guest(&s->backing, a->frame);
	uint64_t len = pages * PAGE_SIZE, done;
	int uffd = s->faults.uffd;

	if (in_memory(a))
		done = uffd_continue(uffd, at, len, error);
	else if (a->source == TRACE_SOURCE_ZERO)
		done = uffd_zero(uffd, at, len, error);
	else
		done = uffd_copy(uffd, at, bytes_of(h, a), len, error);
	return done / PAGE_SIZE;
}

/* One call a run of pages. */
static void install_all(struct stage2 *s, struct haul *h, unsigned first,
			unsigned n)
{
	for (unsigned i = first, run; i < first + n; i += run) {
		struct arrival *a = &h->page[i];
		int error;

		run = 1;
		if (a->error)
			continue;
		while (i + run < first + n && alike(a + run - 1, a + run))
			run++;
		for (uint64_t k = install(s, h, a, run, &error); k < run; k++)
			a[k].error = error;
	}
}

/* What the memfd holds is asked of the kernel after pages came in: a peak of
 * our own counters would only prove that we can add. */
static void measure_peak(struct stage2 *s)
{
	uint64_t bytes = backing_bytes(&s->backing);
	uint64_t peak = atomic_load(&s->peak_bytes);

	while (bytes > peak &&
	       !atomic_compare_exchange_weak(&s->peak_bytes, &peak, bytes))
		;
}

static void trace_ahead(struct stage2 *s, const struct arrival *a)
{
	trace_page(s, TRACE_AHEAD, a->gfn, a->from, a->to,
		   (struct trace_record){ .tsc = trace_now(),
					  .source = (uint8_t)a->source });
}

static void settle(struct stage2 *s, struct arrival *a, bool entered)
{
	if (!entered)
		return;
	s->page[a->frame.v].busy = false;
	if (a->error)
		leave(s, a);
	else if (a->ahead)
		trace_ahead(s, a);
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
	measure_peak(s);
	pthread_mutex_lock(&s->lock);
	for (unsigned i = first; i < first + n; i++)
		settle(s, &h->page[i], entered[i]);
	pthread_cond_broadcast(&s->settled);
}
