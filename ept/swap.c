/* SPDX-License-Identifier: MIT */
/*
 * Out: a page gets a record and a tag, then goes down the chain of tiers until
 * one takes it. In: its tier gives bytes back, and only bytes that make the
 * same tag get out of here.
 *
 * The tag is a keyed hash of the page's own keyed hash and of who the page is.
 * It stays in our memory, the key too: whoever can write to a tier can make a
 * load fail, and nothing else.
 */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "ept/record.h"
#include "ept/swap.h"

struct swap {
	struct tier *tier[SWAP_TIERS];
	unsigned tiers;
	uint8_t key[192]; /* random bytes, as good a secret as XXH3 can have */

	uint64_t flip_nth;
	void *flipped; /* that page, with its bit flipped */
	_Atomic uint64_t sealed; /* pages that got a tag */

	struct records records;
};

static_assert(TIER_BATCH <= 64, "a bit a page of a batch");

/* The pages of a batch of @n. */
static uint64_t all_of(unsigned n)
{
	assert(n <= TIER_BATCH);
	return n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static unsigned take_lowest(uint64_t *pages)
{
	unsigned i = (unsigned)__builtin_ctzll(*pages);

	*pages &= *pages - 1;
	return i;
}

/* The hash of the bytes takes the key but not a seed: for inputs this long
 * XXH3 has one or the other. So who the page is goes into a second hash. */
static XXH128_hash_t tag_of(const struct swap *s, const struct record *r,
			    gfn_t gfn, const void *page)
{
	struct {
		XXH128_hash_t bytes;
		uint64_t gfn, record, generation;
	} who = {
		.bytes = XXH3_128bits_withSecret(page, PAGE_SIZE, s->key,
						 sizeof(s->key)),
		.gfn = gfn.v,
		.record = record_index(&s->records, r),
		.generation = r->generation,
	};

	return XXH3_128bits_withSecret(&who, sizeof(who), s->key,
				       sizeof(s->key));
}

static bool verifies(const struct swap *s, const struct record *r, gfn_t gfn,
		     const void *page)
{
	return XXH128_isEqual(tag_of(s, r, gfn, page), r->tag);
}

/* What one tier is asked for, and which of the caller's pages each is. */
struct batch {
	unsigned n, page[TIER_BATCH];
	struct tier_io io[TIER_BATCH];
};

static void batch_add(struct batch *b, unsigned i, void *page, uint64_t where)
{
	b->page[b->n] = i;
	b->io[b->n++] = (struct tier_io){ .page = page, .where = where };
}

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

/* Give page @i a record with its tag. */
static void seal(struct swap *s, struct leaving *b, unsigned i)
{
	struct swap_io *io = &b->io[i];

	io->error = -ENOSPC;
	b->record[i] = record_take(&s->records);
	if (!b->record[i])
		return;
	b->record[i]->tag = tag_of(s, b->record[i], io->gfn, io->page);
	b->page[i] = flip(s, io->page);
	b->left |= UINT64_C(1) << i;
}

static void store_in(struct swap *s, unsigned tier, struct leaving *b)
{
	struct tier *t = s->tier[tier];
	struct batch to = { 0 };

	for (uint64_t rest = b->left; rest;) {
		unsigned i = take_lowest(&rest);

		batch_add(&to, i, b->page[i], 0);
	}
	t->ops->store(t, to.io, to.n, tier == s->tiers - 1);
	for (unsigned k = 0; k < to.n; k++) {
		unsigned i = to.page[k];

		b->io[i].error = to.io[k].error;
		if (to.io[k].error)
			continue;
		b->record[i]->where = to.io[k].where;
		b->record[i]->tier = (uint8_t)tier;
		b->io[i].slot = record_slot(&s->records, b->record[i]);
		b->left &= ~(UINT64_C(1) << i);
	}
}

void swap_store(struct swap *s, struct swap_io *io, unsigned n)
{
	struct leaving b = { .io = io };

	assert(n <= TIER_BATCH);
	for (unsigned i = 0; i < n; i++)
		seal(s, &b, i);
	for (unsigned tier = 0; tier < s->tiers && b.left; tier++)
		store_in(s, tier, &b);
	while (b.left)
		record_free(&s->records, b.record[take_lowest(&b.left)]);
}

/* Load those of @pages that lie in @tier, and verify them. */
static void load_from(struct swap *s, unsigned tier, struct swap_io *io,
		      uint64_t pages)
{
	struct tier *t = s->tier[tier];
	struct batch from = { 0 };

	while (pages) {
		unsigned i = take_lowest(&pages);
		struct record *r = record_of(&s->records, io[i].slot);

		if (r && r->tier == tier)
			batch_add(&from, i, io[i].page, r->where);
	}
	if (!from.n)
		return;
	t->ops->load(t, from.io, from.n);
	for (unsigned k = 0; k < from.n; k++) {
		struct swap_io *p = &io[from.page[k]];

		p->error = from.io[k].error;
		if (!p->error && !swap_same(s, p->slot, p->gfn, p->page))
			p->error = -EBADMSG;
	}
}

static void load_once(struct swap *s, struct swap_io *io, uint64_t pages)
{
	for (uint64_t rest = pages; rest;)
		io[take_lowest(&rest)].error = -EBADMSG; /* no such slot */
	for (unsigned tier = 0; tier < s->tiers; tier++)
		load_from(s, tier, io, pages);
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
static void load_twice(struct swap *s, struct swap_io *io, uint64_t pages)
{
	load_once(s, io, pages);
	pages = failed(io, pages, is_bad_copy);
	if (pages)
		load_once(s, io, pages);
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

void swap_load(struct swap *s, struct swap_io *io, unsigned n)
{
	static const unsigned pause_ms[] = { 10, 100, 1000 };
	uint64_t pages = all_of(n);

	load_twice(s, io, pages);
	for (unsigned i = 0; i < 3; i++) {
		pages = failed(io, pages, is_medium);
		if (!pages)
			return;
		sleep_ms(pause_ms[i]);
		load_twice(s, io, pages);
	}
}

bool swap_same(struct swap *s, slot_t slot, gfn_t gfn, const void *page)
{
	struct record *r = record_of(&s->records, slot);

	return r && verifies(s, r, gfn, page);
}

void swap_release(struct swap *s, slot_t slot)
{
	struct record *r = record_of(&s->records, slot);
	struct tier *t;

	assert(r); /* released twice, or never stored */
	t = s->tier[r->tier];
	t->ops->release(t, r->where);
	record_free(&s->records, r);
}

uint32_t swap_record_of_slot(slot_t slot)
{
	return (uint32_t)slot.v;
}

slot_t swap_slot_of(const struct swap *s, uint32_t record)
{
	return record_slot(&s->records, &s->records.record[record]);
}

unsigned swap_tier(struct swap *s, slot_t slot)
{
	struct record *r = record_of(&s->records, slot);

	return r ? r->tier : SWAP_TIERS;
}

const char *swap_tier_name(struct swap *s, slot_t slot)
{
	unsigned tier = swap_tier(s, slot);

	return tier < SWAP_TIERS ? s->tier[tier]->ops->name : "none";
}

unsigned swap_tiers(const struct swap *s)
{
	return s->tiers;
}

const char *swap_tier_stats(struct swap *s, unsigned i, struct tier_stats *st)
{
	struct tier *t = s->tier[i];

	t->ops->stats(t, st);
	return t->ops->name;
}

uint64_t swap_slots_used(struct swap *s)
{
	return records_used(&s->records);
}

static int make_key(struct swap *s)
{
	ssize_t n;

	do
		n = getrandom(s->key, sizeof(s->key), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(s->key) ? 0 : -EIO;
}

void swap_destroy(struct swap *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < s->tiers; i++)
		s->tier[i]->ops->destroy(s->tier[i]);
	if (s->records.record)
		records_destroy(&s->records);
	explicit_bzero(s->key, sizeof(s->key));
	free(s->flipped);
	free(s);
}

static int init(struct swap *s, const struct swap_config *c)
{
	int r = make_key(s);

	if (r)
		return r;
	s->flip_nth = c->flip_nth;
	s->flipped = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!s->flipped)
		return -ENOMEM;
	return records_init(&s->records);
}

int swap_create(struct swap **out, const struct swap_config *c)
{
	struct swap *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = init(s, c);
	if (r) {
		swap_destroy(s); /* has no tiers yet: they stay the caller's */
		return r;
	}
	assert(c->tiers <= SWAP_TIERS);
	s->tiers = c->tiers;
	memcpy(s->tier, c->tier, sizeof(s->tier));
	*out = s;
	return 0;
}
