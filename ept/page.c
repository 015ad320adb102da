/* SPDX-License-Identifier: MIT */
/* Frames and pages: how many, whose, and one page for a device. */
#include <errno.h>

#include "ept/decide.h"
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

void frames_measure(struct stage2 *s)
{
	uint64_t bytes = backing_bytes(&s->backing);
	uint64_t peak = atomic_load(&s->peak_bytes);

	while (bytes > peak &&
	       !atomic_compare_exchange_weak(&s->peak_bytes, &peak, bytes))
		;
}

/* The low mark of free frames. */
static uint64_t low_mark(const struct stage2 *s)
{
	uint64_t part = s->limit / 64, least = 32, most = 1024;

	if (s->frame_pages > 1) {
		least = s->frame_pages;
		most = 8 * s->frame_pages;
	}
	return part < least ? least : part > most ? most : part;
}

/* May all of RAM be resident? Then nothing ever needs to leave. */
static bool roomy(const struct stage2 *s)
{
	return s->limit >= s->backing.frames * s->frame_pages;
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
	return s->limit / 16 / s->frame_pages;
}

void frames_share(struct stage2 *s)
{
	uint64_t others = watch_target(s) * s->frame_pages + low_mark(s);
	uint64_t share =
		roomy(s) || others >= s->limit ? s->limit : s->limit - others;

	decide_capacity(s, share / s->frame_pages);
}

uint64_t page_of(const struct stage2 *s, frame_t f)
{
	return f.v * s->frame_pages;
}

bool copy_of(const struct stage2 *s, uint64_t page, slot_t *copy)
{
	uint64_t record = packed_get(&s->copy, page);

	if (record)
		*copy = swap_slot_of(s->config.swap, (uint32_t)record - 1);
	return record;
}

void copy_keep(struct stage2 *s, uint64_t page, slot_t copy)
{
	packed_set(&s->copy, page, UINT64_C(1) + swap_record_of_slot(copy));
}

void copy_forget(struct stage2 *s, uint64_t page)
{
	if (packed_get(&s->copy, page))
		packed_set(&s->copy, page, 0);
}

void *page_alias(const struct stage2 *s, gfn_t g)
{
	frame_t f;

	frame_of(s, g, &f);
	return (uint8_t *)backing_alias(&s->backing, f) +
	       (g.v - gfn_of_frame(s, f).v) * PAGE_SIZE;
}

void page_known(struct stage2 *s, frame_t f, bool touched)
{
	if (frame_set_has(&s->watched, f)) {
		frame_set_remove(&s->watched, f);
		decide_insert(s, f);
	}
	if (touched)
		decide_touch(s, f);
}

void page_unknown(struct stage2 *s, frame_t f)
{
	if (!frame_set_has(&s->watched, f))
		decide_remove(s, f);
	frame_set_remove(&s->watched, f);
}

struct pte leaf_entry(const struct stage2 *s, frame_t f, unsigned rights)
{
	return pte_leaf((frame_t){ f.v * s->frame_pages }, rights);
}

struct pte away_entry(const struct stage2 *s, enum pte_kind kind, frame_t f,
		      unsigned rights)
{
	return pte_away(kind, f.v * s->frame_pages, rights);
}

static void store(struct stage2 *s, gfn_t g, uint64_t pages, struct pte e)
{
	int r = ept_map(&s->ept, g, pages, e);

	assert(r == 0);
	(void)r;
}

void set_entry(struct stage2 *s, frame_t f, struct pte e)
{
	if (pte_kind(e) == PTE_LEAF)
		hints_use(s, f);
	store(s, gfn_of_frame(s, f), s->frame_pages, e);
}

void set_page(struct stage2 *s, gfn_t g, struct pte e)
{
	store(s, g, 1, e);
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
	bool absent = pte_kind(e) == PTE_ABSENT;
	struct stage2_failure f = {
		.what = FAILURE_LOAD,
		.error = error,
		.gfn = g,
		.stored = stored,
		.poisoned = pte_kind(ept_lookup(&s->ept, g)) == PTE_POISONED,
		.source =
			absent ? s->pager[pte_payload(e)]->ops->name : "memory",
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
static bool at_hand(struct stage2 *s, gfn_t g)
{
	frame_t f;

	if (pte_kind(ept_lookup(&s->ept, g)) != PTE_UNMAPPED ||
	    !frame_of(s, g, &f))
		return false;
	page_known(s, f, true);
	return true;
}

/* What a haul of one frame needs, on the stack. */
struct small_room {
	_Alignas(PAGE_SIZE) uint8_t bytes[PAGE_SIZE];
	struct arrival page;
	struct pte from[LEVEL_ENTRIES];
	struct request request;
};

static struct haul haul_in(struct small_room *r)
{
	return (struct haul){ .page = &r->page,
			      .from = r->from,
			      .bytes = r->bytes,
			      .request = &r->request };
}

/* That the host cannot map a page whose bytes are in its frame is no matter
 * here. */
static int bring(struct stage2 *s, struct haul *h)
{
	const struct arrival *a = &h->page[0];

	haul_bring(s, h, 0, 1);
	return a->in_memory ? 0 : a->error;
}

int page_in(struct stage2 *s, gfn_t g)
{
	struct small_room room;
	struct haul h = haul_in(&room);
	int r;

	if (at_hand(s, g))
		return 0;
	do {
		h.n = 0;
		r = haul_take_waiting(s, &h, g);
		if (r)
			return r > 0 ? 0 : r;
		r = bring(s, &h);
		if (r && s->stopping)
			return -ECANCELED;
	} while (r && !haul_is_back(s, &h.page[0]));
	if (r)
		haul_failed(s, &h.page[0]);
	return r;
}

int page_in_now(struct stage2 *s, gfn_t g)
{
	struct small_room room;
	struct haul h = haul_in(&room);
	int error;

	if (at_hand(s, g))
		return 0;
	switch (haul_take(s, &h, g, &error)) {
	case HAUL_THERE:
		return 0;
	case HAUL_TAKEN:
		return bring(s, &h);
	case HAUL_LOST:
		return error;
	default:
		return -EAGAIN;
	}
}
