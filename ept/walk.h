/* SPDX-License-Identifier: MIT */
/*
 * The walk of a radix page table, of any format that a struct pt_format can
 * describe: our stage 2, and the tables a guest builds for itself. Tables are
 * read through a function, because a guest's lie in guest memory.
 */
#ifndef EPT_WALK_H
#define EPT_WALK_H

#include "ept/addr.h"

struct pt_format {
	const char *name;
	unsigned levels; /* of a full walk; the root's level */
	unsigned top_leaf; /* the highest level that may hold a leaf */
	uint64_t present; /* any of these bits: the entry is present */
	uint64_t leaf; /* this bit, above level 1: a large page */
	uint64_t address; /* the bits that say where the table or page lies */
};

extern const struct pt_format pt_ept; /* SDM vol. 3C, 29.3.2 */
extern const struct pt_format pt_x86_64; /* SDM vol. 3A, 4.5.4 */

struct pt_memory {
	/* Read the 8-byte entry at address @at of a table at @level. False:
	 * nothing can be read there. */
	bool (*read)(void *ctx, unsigned level, uint64_t at, uint64_t *entry);
	void *ctx;
};

enum walk_end {
	WALK_LEAF, /* the entry maps the page */
	WALK_NOT_PRESENT, /* the entry is not present */
	WALK_UNREADABLE /* a table lies where nothing can be read */
};

struct walk {
	enum walk_end end;
	unsigned level; /* of the entry where the walk ended */
	uint64_t slot; /* where that entry lies */
	uint64_t entry; /* its value, unless WALK_UNREADABLE */
};

/*
 * Walk the tables at @root down to the entry for page number @page (the
 * address without its low 12 bits). Bits of @page above the format's reach
 * are ignored; the caller checks what is canonical.
 */
struct walk walk(const struct pt_format *f, const struct pt_memory *m,
		 uint64_t root, uint64_t page);

/* The 4 KiB page number that @page translates to; @w ended at a leaf. */
uint64_t walk_target(const struct pt_format *f, struct walk w, uint64_t page);

#endif
