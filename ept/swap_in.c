/* SPDX-License-Identifier: MIT */
/* In: a tier gives bytes back, and only bytes that make the same tag get out of
 * here. */
#include <errno.h>
#include <time.h>

#include "ept/probes.h"
#include "ept/swap_state.h"

/* Pages on their way in. */
struct arriving {
	struct swap_io *io;
	struct record *record[TIER_BATCH]; /* held; NULL: no such slot */
};

static void verify(struct swap *s, struct swap_io *io, const struct record *r)
{
	if (!io->error && !seal_verifies(s, r, io->gfn, io->page))
		io->error = -EBADMSG;
}

/* Load those of @pages that lie in @tier, and verify them. */
static void load_from(struct swap *s, unsigned tier, struct arriving *a,
		      uint64_t pages)
{
	struct batch from = { 0 };

	while (pages) {
		unsigned i = take_lowest(&pages);
		struct record *r = a->record[i];

		if (r && tier_of(r) == tier)
			batch_add(&from, i, a->io[i].page, r->where);
	}
	if (!from.n)
		return;
	traffic_load(s, tier, &from);
	for (unsigned k = 0; k < from.n; k++) {
		unsigned i = from.page[k];

		a->io[i].error = from.io[k].error;
		verify(s, &a->io[i], a->record[i]);
		if (a->io[i].error == -EBADMSG)
			count(&s->traffic[tier].load_failures, 1);
		probe_load(a->io[i].gfn, tier, a->io[i].slot, a->io[i].error);
	}
}

static void load_same(struct swap *s, struct arriving *a, uint64_t pages)
{
	while (pages) {
		unsigned i = take_lowest(&pages);
		struct record *r = a->record[i];

		if (!r || tier_of(r) != SWAP_SAME)
			continue;
		same_fill(a->io[i].page, r->where);
		a->io[i].error = 0;
		verify(s, &a->io[i], r);
		count(&s->same_loaded, 1);
		probe_load(a->io[i].gfn, SWAP_SAME, a->io[i].slot,
			   a->io[i].error);
	}
}

static void load_once(struct swap *s, struct arriving *a, uint64_t pages)
{
	for (uint64_t rest = pages; rest;)
		a->io[take_lowest(&rest)].error = -EBADMSG; /* no such slot */
	load_same(s, a, pages);
	for (unsigned tier = 0; tier < s->tiers; tier++)
		load_from(s, tier, a, pages);
}

static bool is_bad_copy(int error)
{
	return error == -EBADMSG;
}

static bool is_medium(int error)
{
	return error && error != -EBADMSG;
}

static uint64_t failed(const struct swap_io *io, uint64_t pages,
		       bool (*how)(int error))
{
	uint64_t those = 0;

	while (pages) {
		unsigned i = take_lowest(&pages);

		if (how(io[i].error))
			those |= UINT64_C(1) << i;
	}
	return those;
}

/* A bad copy may have been damaged on the way: it has one more chance. */
static void load_twice(struct swap *s, struct arriving *a, uint64_t pages)
{
	load_once(s, a, pages);
	pages = failed(a->io, pages, is_bad_copy);
	if (pages)
		load_once(s, a, pages);
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

static void load_patiently(struct swap *s, struct arriving *a, uint64_t pages)
{
	static const unsigned pause_ms[] = { 10, 100, 1000 };

	load_twice(s, a, pages);
	for (unsigned i = 0; i < 3; i++) {
		pages = failed(a->io, pages, is_medium);
		if (!pages)
			return;
		sleep_ms(pause_ms[i]);
		load_twice(s, a, pages);
	}
}

/* What demotion and promotion go by. */
static void mark_loaded(struct record *r)
{
	uint8_t marks = atomic_load_explicit(&r->marks, memory_order_relaxed);
	uint8_t more =
		MARK_YOUNG | (marks & MARK_LOADED ? MARK_WANTED : MARK_LOADED);

	if (~marks & more)
		atomic_fetch_or(&r->marks, more);
}

void swap_load(struct swap *s, struct swap_io *io, unsigned n)
{
	struct arriving a = { .io = io };

	for (unsigned i = 0; i < n; i++)
		a.record[i] = swap_hold(s, io[i].slot);
	load_patiently(s, &a, all_of(n));
	for (unsigned i = 0; i < n; i++) {
		if (!a.record[i])
			continue;
		mark_loaded(a.record[i]);
		swap_drop(s, a.record[i]);
	}
}

bool swap_same(struct swap *s, slot_t slot, gfn_t gfn, const void *page)
{
	struct record *r = swap_hold(s, slot);
	bool same = r && seal_verifies(s, r, gfn, page);

	if (same)
		swap_promote(s, r, page);
	if (r)
		swap_drop(s, r);
	return same;
}

/* One page, loaded once, for looking at it. */
static int look(struct swap *s, struct record *r, gfn_t gfn, void *page)
{
	struct swap_io io = { .page = page,
			      .gfn = gfn,
			      .slot = record_slot(&s->records, r) };
	struct arriving a = { .io = &io, .record = { r } };

	load_once(s, &a, 1);
	return io.error;
}

void swap_describe(struct swap *s, slot_t slot, gfn_t gfn,
		   struct swap_description *d)
{
	_Alignas(PAGE_SIZE) uint8_t page[PAGE_SIZE];
	struct record *r = swap_hold(s, slot);
	unsigned tier = r ? tier_of(r) : SWAP_NOWHERE;

	*d = (struct swap_description){ .tier = swap_name_of(s, tier),
					.codec = "none",
					.error = -EBADMSG };
	if (!r)
		return;
	if (tier < SWAP_TIERS) {
		struct tier *t = s->tier[tier];

		d->bytes = t->ops->bytes(t, r->where);
		d->codec = d->bytes < PAGE_SIZE ? t->codec : d->codec;
	}
	d->error = look(s, r, gfn, page);
	swap_drop(s, r);
}

int swap_peek(struct swap *s, slot_t slot, gfn_t gfn, void *page)
{
	struct record *r = swap_hold(s, slot);
	int error;

	if (!r)
		return -ENOENT;
	error = look(s, r, gfn, page);
	swap_drop(s, r);
	return error;
}
