/* SPDX-License-Identifier: MIT */
/*
 * Swap: the chain of tiers, and one record per stored page. The record binds
 * the page's bytes to who they are (this VM, this gfn, this generation of its
 * contents) by keyed 128-bit hashes: a copy that was damaged, misplaced, or
 * is an older one of the same page does not verify and is never returned.
 *
 * A slot_t names a record, and lives in a 52-bit field of a stage-2 entry. A
 * page that repeats one 8-byte word has a record and no copy in any tier.
 *
 * Where a copy lies may change: swap_demote moves old ones on, and swap_same
 * moves wanted ones back. The slot stays, and verifies what it did.
 *
 * store, load, same and demote may block; they are called without any stage-2
 * lock. All functions may be called from several threads; a slot is used by
 * its owner only, but for swap_same, swap_describe and swap_peek: it may be
 * released meanwhile.
 */
#ifndef EPT_SWAP_H
#define EPT_SWAP_H

#include "ept/tier.h"

#define SWAP_TIERS 8
/* What swap_tier says of a same-filled page, and of no page at all. */
#define SWAP_SAME    SWAP_TIERS
#define SWAP_NOWHERE (SWAP_TIERS + 1)

struct swap;

struct swap_config {
	struct tier *tier[SWAP_TIERS]; /* in order of preference; owned */
	unsigned tiers;
	uint64_t pages; /* of the memory whose pages may be in swap */
	/* Test hook: flip one bit of the nth page stored (from 1; 0: never),
	 * after its checksum was taken. */
	uint64_t flip_nth;
	/* Nothing is stored in @tier for a while, because of @error; or, 0,
	 * it is in use again. Called by who stores; NULL: nobody cares. */
	void (*told)(void *ctx, const char *tier, int error);
	void *ctx;
};

/* One page on its way out or in. */
struct swap_io {
	void *page; /* PAGE_SIZE bytes */
	gfn_t gfn;
	slot_t slot; /* store sets it; load uses it */
	int error; /* 0 or -errno; -EBADMSG: the copy did not verify */
};

/* A swap over @config's tiers, which it owns from now on. 0, or -errno: then
 * they are still the caller's. Destroying NULL does nothing. */
int swap_create(struct swap **out, const struct swap_config *config);
void swap_destroy(struct swap *s);

/*
 * Store @n <= TIER_BATCH pages, each in the first tier that takes it: a tier
 * that is full or, with another one behind it, where the page does not pay,
 * is passed over. error: -ENOSPC when all are full, else the last tier's.
 * The page then holds no slot and must stay in memory. A tier that failed
 * again and again is passed over for a while (ept/rest.h).
 */
void swap_store(struct swap *s, struct swap_io *io, unsigned n);

/* What failed may have been mended: try it at the next store. */
void swap_retry(struct swap *s);

/*
 * Load and verify @n <= TIER_BATCH pages. A failing or wrong read is tried
 * again (3 times, after 10, 100 and 1000 ms; a copy that does not verify
 * once more, at once). On error the bytes of page are undefined and must not
 * be used. The stored copies stay.
 */
void swap_load(struct swap *s, struct swap_io *io, unsigned n);

/* Do @page's bytes equal the copy in @slot? By its hash. A copy that was loaded
 * from a slower tier again and again is stored in the first one, when so. */
bool swap_same(struct swap *s, slot_t slot, gfn_t gfn, const void *page);

/* The page no longer needs its copy. */
void swap_release(struct swap *s, slot_t slot);

/*
 * Move a batch of the pages that were used least lately out of a tier that is
 * nearly full, into one behind it. Returns how many moved; 0: nothing to do
 * for now. To be called off the fault path, by one thread at a time; a page
 * can be loaded and released while it moves.
 */
unsigned swap_demote(struct swap *s);

/* A slot is longer than the number of its record, and is known from it while
 * it is held: for who must keep many slots in little room. */
uint64_t swap_records(const struct swap *s); /* how many there can be */
uint32_t swap_record_of_slot(slot_t slot);
slot_t swap_slot_of(const struct swap *s, uint32_t record);

/* The tier that holds @slot (its index, SWAP_SAME or SWAP_NOWHERE), and its
 * name, for traces and messages. */
unsigned swap_tier(struct swap *s, slot_t slot);
const char *swap_tier_name(struct swap *s, slot_t slot);

/* What a stored copy is, for people. */
struct swap_description {
	const char *tier; /* "none": nothing is stored in this slot */
	const char *codec; /* "none": stored as it is */
	unsigned bytes; /* what the copy takes; 0 when same-filled */
	int error; /* of loading it; 0: it verifies */
};

/* Load and verify @gfn's copy in @slot once, changing nothing. */
void swap_describe(struct swap *s, slot_t slot, gfn_t gfn,
		   struct swap_description *d);

/* @gfn's copy in @slot into @page, loaded once, changing nothing. 0 or
 * -errno. */
int swap_peek(struct swap *s, slot_t slot, gfn_t gfn, void *page);

/* What was ever done with a tier. Ticks are those of trace_now(). */
struct swap_traffic {
	uint64_t stored, stored_bytes, store_ticks; /* bytes: what they took */
	uint64_t loaded, load_ticks;
	uint64_t refused; /* pages that did not pay here */
	uint64_t store_failures, load_failures; /* full is no failure */
};

struct swap_counts {
	uint64_t same_held; /* same-filled pages now */
	uint64_t same_stored, same_loaded; /* ever */
	uint64_t demoted, promoted; /* copies moved back, and forth */
};

unsigned swap_tiers(const struct swap *s);
/* Name, statistics and traffic of tier @i < swap_tiers(). */
const char *swap_tier_stats(struct swap *s, unsigned i, struct tier_stats *st);
void swap_tier_traffic(struct swap *s, unsigned i, struct swap_traffic *t);
void swap_counts(struct swap *s, struct swap_counts *c);

/* Records in use: 0 once every slot was released. */
uint64_t swap_slots_used(struct swap *s);

#endif
