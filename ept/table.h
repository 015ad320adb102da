/* SPDX-License-Identifier: MIT */
/*
 * The stage-2 table: from every guest frame to where its page is. A radix
 * tree of 4 levels (256 TiB); an entry covers 4 KiB, 2 MiB, 1 GiB or, where
 * there is nothing, 512 GiB. Ranges may be of any size and alignment: a large
 * entry that a range covers in part is split, and a change that covers whole
 * entries is written at the highest level where it fits.
 *
 * The caller serialises all calls (stage 2 holds its lock).
 */
#ifndef EPT_TABLE_H
#define EPT_TABLE_H

#include "ept/pte.h"
#include "ept/walk.h"

/* gfns of 36 bits: what four levels of nine bits reach. */
#define EPT_PAGES (UINT64_C(1) << 36)

struct ept {
	struct pte *root;
	uint64_t tables; /* table pages in use, the root's included */
	struct pte *free; /* table pages that are not */
	struct chunk *chunks; /* what they all were cut from, latest first */
	uint64_t pages[PTE_KINDS]; /* 4 KiB pages of each kind */
	/* Called when a mapped page stops being mapped as it was. May be
	 * NULL. Must not call back into the table. */
	void (*stale)(void *ctx, gfn_t first, uint64_t pages);
	void *ctx;
};

/* An empty table: all holes. 0 or -ENOMEM. */
int ept_init(struct ept *t);
void ept_destroy(struct ept *t);

/* The entry of page @g, as a 4 KiB one. A gfn beyond the reach is a hole. */
struct pte ept_lookup(const struct ept *t, gfn_t g);

/* Where page @g, within the reach, is written down: a host address, and at
 * which level. */
struct walk ept_walk(const struct ept *t, gfn_t g);

/* The level at which page @g is written down: 1 to 4. */
unsigned ept_level(const struct ept *t, gfn_t g);

/*
 * Make [first, first + pages) what @e describes for its first page; frames
 * count up along the range. 0; -EINVAL when the range leaves the reach;
 * -ENOMEM, and then no page has changed.
 */
int ept_map(struct ept *t, gfn_t first, uint64_t pages, struct pte e);

/* The same with holes. */
int ept_unmap(struct ept *t, gfn_t first, uint64_t pages);

/* Give every page of the range that is no hole the rights @rights, which are
 * not empty. Errors as ept_map. */
int ept_protect(struct ept *t, gfn_t first, uint64_t pages, unsigned rights);

/*
 * Write down every run of 512 entries inside the range that one entry can
 * stand for as that one, and free the table: 4 KiB to 2 MiB, 2 MiB to 1 GiB.
 * Translations stay. Returns how many tables were freed.
 */
uint64_t ept_merge(struct ept *t, gfn_t first, uint64_t pages);

#endif
