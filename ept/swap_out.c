/* SPDX-License-Identifier: MIT */
/* Out: a page gets a record and a tag, then goes down the chain of tiers until
 * one takes it. */
#include <errno.h>
#include <string.h>

#include "ept/probes.h"
#include "ept/swap_state.h"

/* Pages on their way out. */
struct leaving {
	struct swap_io *io;
	struct record *record[TIER_BATCH];
	void *page[TIER_BATCH]; /* what the tiers are given */
	uint64_t left; /* pages that no tier took yet */
};

/* The test hook: the same page with one bit wrong, if it is this one's turn.
 * The page itself is the guest's. */
static void *flip(struct swap *s, void *page)
{
	uint8_t *flipped = s->flipped;

	if (atomic_fetch_add(&s->sealed, 1) + 1 != s->flip_nth)
		return page;
	memcpy(flipped, page, PAGE_SIZE);
	flipped[PAGE_SIZE / 2] ^= 1;
	return flipped;
}

/* Page @i has its copy at @where in @tier: it can have its slot. */
static void stored(struct swap *s, struct leaving *b, unsigned i, unsigned tier,
		   uint64_t where)
{
	struct record *r = b->record[i];

	r->where = where;
	/* Whoever looks for old copies sees the tier first, then this. */
	atomic_store_explicit(&r->tier, (uint8_t)tier, memory_order_release);
	b->io[i].slot = record_slot(&s->records, r);
	b->io[i].error = 0;
	b->left &= ~(UINT64_C(1) << i);
	probe_store(b->io[i].gfn, tier, b->io[i].slot);
}

static bool store_same(struct swap *s, struct leaving *b, unsigned i)
{
	const uint64_t *word = b->page[i];

	if (!same_filled(word))
		return false;
	stored(s, b, i, SWAP_SAME, *word);
	count(&s->same_stored, 1);
	count(&s->same_held, 1);
	return true;
}

/* Give page @i a record with its tag. True: it has to go to a tier. */
static bool seal(struct swap *s, struct leaving *b, unsigned i)
{
	struct swap_io *io = &b->io[i];

	io->error = -ENOSPC;
	b->record[i] = record_take(&s->records, SWAP_NOWHERE);
	if (!b->record[i])
		return false;
	b->record[i]->tag = seal_tag(s, b->record[i], io->gfn, io->page);
	b->page[i] = flip(s, io->page);
	return !store_same(s, b, i);
}

static void store_in(struct swap *s, unsigned tier, struct leaving *b)
{
	struct batch to = { 0 };

	for (uint64_t rest = b->left; rest;) {
		unsigned i = take_lowest(&rest);

		batch_add(&to, i, b->page[i], 0);
	}
	traffic_store(s, tier, &to, tier == s->tiers - 1);
	for (unsigned k = 0; k < to.n; k++) {
		unsigned i = to.page[k];

		b->io[i].error = to.io[k].error;
		if (to.io[k].error == -E2BIG && tier == 0)
			atomic_fetch_or(&b->record[i]->marks, MARK_UNFIT);
		if (!to.io[k].error)
			stored(s, b, i, tier, to.io[k].where);
	}
}

void swap_store(struct swap *s, struct swap_io *io, unsigned n)
{
	struct leaving b = { .io = io };

	assert(n <= TIER_BATCH);
	for (unsigned i = 0; i < n; i++)
		if (seal(s, &b, i))
			b.left |= UINT64_C(1) << i;
	for (unsigned tier = 0; tier < s->tiers && b.left; tier++)
		store_in(s, tier, &b);
	while (b.left)
		swap_disown(s, b.record[take_lowest(&b.left)]);
}
