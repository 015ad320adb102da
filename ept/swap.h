/* SPDX-License-Identifier: MIT */
/*
 * Swap: the chain of tiers, and one record per stored page. The record binds
 * the page's bytes to who they are (this VM, this gfn, this generation of its
 * contents) by a keyed 128-bit hash: a copy that was damaged, misplaced, or
 * is an older one of the same page does not verify and is never returned.
 *
 * A slot_t names a record, and lives in a 52-bit field of a stage-2 entry.
 * store and load block; they are called without any stage-2 lock. All
 * functions may be called from several threads.
 */
#ifndef EPT_SWAP_H
#define EPT_SWAP_H

#include "ept/tier.h"

#define SWAP_TIERS 8

struct swap;

struct swap_config {
	struct tier *tier[SWAP_TIERS]; /* in order of preference; owned */
	unsigned tiers;
	/* Test hook: flip one bit of the nth page stored (from 1; 0: never),
	 * after its checksum was taken. */
	uint64_t flip_nth;
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
 * The page then holds no slot and must stay in memory.
 */
void swap_store(struct swap *s, struct swap_io *io, unsigned n);

/*
 * Load and verify @n <= TIER_BATCH pages. A failing or wrong read is tried
 * again (3 times, after 10, 100 and 1000 ms; a copy that does not verify
 * once more, at once). On error the bytes of page are undefined and must not
 * be used. The stored copies stay.
 */
void swap_load(struct swap *s, struct swap_io *io, unsigned n);

/* Do @page's bytes equal the copy in @slot? By its hash; no I/O. */
bool swap_same(struct swap *s, slot_t slot, gfn_t gfn, const void *page);

/* The page no longer needs its copy. */
void swap_release(struct swap *s, slot_t slot);

/* A slot is longer than the number of its record, and is known from it while
 * it is held: for who must keep many slots in little room. */
#define SWAP_RECORD_BITS  29
#define SWAP_RECORDS_MASK ((1u << SWAP_RECORD_BITS) - 1)
uint32_t swap_record_of_slot(slot_t slot);
slot_t swap_slot_of(const struct swap *s, uint32_t record);

/* The tier that holds @slot: its index, SWAP_TIERS when none does, and its
 * name, for traces and messages. */
unsigned swap_tier(struct swap *s, slot_t slot);
const char *swap_tier_name(struct swap *s, slot_t slot);

unsigned swap_tiers(const struct swap *s);
/* Name and statistics of tier @i < swap_tiers(). */
const char *swap_tier_stats(struct swap *s, unsigned i, struct tier_stats *st);

/* Records in use: 0 once every slot was released. */
uint64_t swap_slots_used(struct swap *s);

#endif
