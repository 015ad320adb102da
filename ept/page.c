/* SPDX-License-Identifier: MIT */
/* Frames and pages: how many, whose, and one page for a device. */
#include <errno.h>

#include "ept/haul.h"

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

/* May all of RAM be resident? Then nothing ever needs to leave. */
static bool roomy(const struct stage2 *s)
{
	return s->limit >= s->backing.frames;
}

uint64_t frames_wanted(const struct stage2 *s)
{
	uint64_t used = frames_used(s), low = low_mark(s);

	if (roomy(s))
		return 0;
	return used + low <= s->limit ? 0 : used + 2 * low - s->limit;
}

uint64_t frames_spare(const struct stage2 *s)
{
	uint64_t free = frames_free(s), reserve = low_mark(s) / 4;

	if (roomy(s))
		return free;
	return free > reserve ? free - reserve : 0;
}

uint64_t watch_target(const struct stage2 *s)
{
	return s->limit / 16;
}

void frames_share(struct stage2 *s)
{
	uint64_t others = watch_target(s) + low_mark(s);

	s->policy->capacity =
		roomy(s) || others >= s->limit ? s->limit : s->limit - others;
}

struct page *page_of(struct stage2 *s, gfn_t g)
{
	frame_t f;

	return frame_of(s, g, &f) ? &s->page[f.v] : NULL;
}

void page_known(struct stage2 *s, frame_t f, bool touched)
{
	struct page *page = &s->page[f.v];

	if (page->watched) {
		page->watched = false;
		s->policy->ops->insert(s->policy, f);
	}
	if (touched)
		s->policy->ops->touch(s->policy, f);
}

void page_unknown(struct stage2 *s, frame_t f)
{
	struct page *page = &s->page[f.v];

	if (!page->watched)
		s->policy->ops->remove(s->policy, f);
	page->watched = false;
}

void set_entry(struct stage2 *s, gfn_t g, struct pte e)
{
	int r = ept_map(&s->ept, g, 1, e);

	assert(r == 0);
	(void)r;
}

void wait_settled(struct stage2 *s)
{
	pthread_cond_wait(&s->settled, &s->lock);
}

void wait_for_frame(struct stage2 *s)
{
	s->waiting++;
	pthread_cond_signal(&s->work);
	pthread_cond_wait(&s->freed, &s->lock);
	s->waiting--;
}

void tell_owner(struct stage2 *s, gfn_t g, struct pte e, int error)
{
	bool stored = pte_kind(e) == PTE_STORED;
	struct stage2_failure f = {
		.what = FAILURE_LOAD,
		.error = error,
		.gfn = g,
		.stored = stored,
		.source = stored ? "swap" : s->pager[pte_payload(e)]->ops->name,
	};

	observe_error(&s->observer, s->config.swap, HISTORY_LOAD_ERROR, g, e);
	pthread_mutex_unlock(&s->lock);
	if (f.stored) {
		f.slot = pte_slot(e);
		f.source = swap_tier_name(s->config.swap, f.slot);
	}
	s->config.failed(s->config.ctx, &f);
	pthread_mutex_lock(&s->lock);
}

/* What is unmapped has its bytes in its frame: a device needs no more. */
int page_in(struct stage2 *s, gfn_t g)
{
	_Alignas(PAGE_SIZE) uint8_t bytes[PAGE_SIZE];
	struct haul h = { .bytes = bytes };
	struct pte e = ept_lookup(&s->ept, g);
	int r;

	if (pte_kind(e) == PTE_UNMAPPED) {
		page_known(s, pte_frame(e), true);
		return 0;
	}
	r = haul_take_waiting(s, &h, g);
	if (r)
		return r > 0 ? 0 : r;
	pthread_mutex_unlock(&s->lock);
	haul_fill(s, &h, 0, 1);
	pthread_mutex_lock(&s->lock);
	haul_map(s, &h, 0, 1);
	if (h.page[0].error)
		tell_owner(s, g, h.page[0].from, h.page[0].error);
	return h.page[0].error;
}
