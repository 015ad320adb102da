/* SPDX-License-Identifier: MIT */
/* The inside of swap, for ept/swap*.c only. */
#ifndef EPT_SWAP_STATE_H
#define EPT_SWAP_STATE_H

#include <assert.h>
#include <pthread.h>

#include "ept/record.h"
#include "ept/rest.h"
#include "ept/swap.h"

/* As struct swap_traffic, counted by any thread. */
struct traffic {
	_Atomic uint64_t stored, stored_bytes, store_ticks, loaded, load_ticks,
		refused, store_failures, load_failures;
};

struct swap {
	struct tier *tier[SWAP_TIERS];
	unsigned tiers;
	uint8_t key[192]; /* random bytes, as good a secret as XXH3 can have */

	uint64_t flip_nth;
	void *flipped; /* that page, with its bit flipped */
	_Atomic uint64_t sealed; /* pages that got a tag */

	struct records records;

	struct traffic traffic[SWAP_TIERS];
	struct rest rest[SWAP_TIERS];
	void (*told)(void *ctx, const char *tier, int error);
	void *ctx;
	_Atomic uint64_t same_held, same_stored, same_loaded, demoted, promoted;

	pthread_mutex_t moving; /* one batch at a time; of what follows */
	uint64_t hand; /* the record that is looked at next */
	uint8_t *moved; /* TIER_BATCH pages, if there are two tiers */
};

_Static_assert(TIER_BATCH <= 64, "a bit a page of a batch");

static inline void count(_Atomic uint64_t *what, uint64_t n)
{
	atomic_fetch_add_explicit(what, n, memory_order_relaxed);
}

/* The pages of a batch of @n. */
static inline uint64_t all_of(unsigned n)
{
	assert(n <= TIER_BATCH);
	return n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static inline unsigned take_lowest(uint64_t *pages)
{
	unsigned i = (unsigned)__builtin_ctzll(*pages);

	*pages &= *pages - 1;
	return i;
}

/* What one tier is asked for, and which of the caller's pages each is. */
struct batch {
	unsigned n, page[TIER_BATCH];
	struct tier_io io[TIER_BATCH];
};

static inline void batch_add(struct batch *b, unsigned i, void *page,
			     uint64_t where)
{
	b->page[b->n] = i;
	b->io[b->n++] = (struct tier_io){ .page = page, .where = where };
}

/* Where @r's copy is, and then r->where too, for who holds it. */
static inline unsigned tier_of(const struct record *r)
{
	return atomic_load_explicit(&r->tier, memory_order_acquire);
}

/* Store or load a batch in @tier, counted. One at rest takes none of it, or one
 * page. */
void traffic_store(struct swap *s, unsigned tier, struct batch *b, bool raw_ok);
void traffic_load(struct swap *s, unsigned tier, struct batch *b);

/* The tag of @page as the contents of @r, a page of @gfn. */
struct tag seal_tag(const struct swap *s, const struct record *r, gfn_t gfn,
		    const void *page);
bool seal_verifies(const struct swap *s, const struct record *r, gfn_t gfn,
		   const void *page);
/* Are these the bytes that were stored? For who does not know the gfn. */
bool seal_intact(const struct swap *s, const struct record *r,
		 const void *page);

/* The name of a tier by its index, of SWAP_SAME, of SWAP_NOWHERE. */
const char *swap_name_of(const struct swap *s, unsigned tier);

/* Hold the record that @slot names; NULL: it names none. */
struct record *swap_hold(struct swap *s, slot_t slot);
/* The last one to drop it, or the owner then, gives up the copy, and the
 * record. */
void swap_drop(struct swap *s, struct record *r);
void swap_disown(struct swap *s, struct record *r);

/* A page that repeats one word? */
bool same_filled(const void *page);
void same_fill(void *page, uint64_t word);

/* The copy of @r, which the caller holds and saw to be @page: if it was wanted
 * often enough it moves to the first tier. */
void swap_promote(struct swap *s, struct record *r, const void *page);

#endif
