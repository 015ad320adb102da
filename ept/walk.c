/* SPDX-License-Identifier: MIT */
/*
 * One loop for every level of every format:
 *
 *      47      39 38      30 29      21 20      12 11         0
 *     +----------+----------+----------+----------+------------+
 *     | level 4  | level 3  | level 2  | level 1  |   offset   |
 *     +----------+----------+----------+----------+------------+
 *          |          |          |          |
 *          |          |          |          +-- always a 4 KiB page
 *          |          |          +------------- table, or a 2 MiB page
 *          |          +------------------------ table, or a 1 GiB page
 *          +----------------------------------- always a table
 */
#include "ept/walk.h"
#include "ept/pte.h"

const struct pt_format pt_ept = {
	.name = "ept",
	.levels = 4,
	.top_leaf = 3,
	.present = PTE_RWX,
	.leaf = PTE_LARGE,
	.address = PTE_ADDRESS,
};

const struct pt_format pt_x86_64 = {
	.name = "x86-64",
	.levels = 4,
	.top_leaf = 3,
	.present = UINT64_C(1) << 0,
	.leaf = UINT64_C(1) << 7,
	.address = UINT64_C(0x000ffffffffff000),
};

static bool is_leaf(const struct pt_format *f, uint64_t entry, unsigned level)
{
	return level == 1 || (level <= f->top_leaf && (entry & f->leaf));
}

struct walk walk(const struct pt_format *f, const struct pt_memory *m,
		 uint64_t root, uint64_t page)
{
	struct walk w = { .slot = root, .level = f->levels };

	for (;; w.level--) {
		w.slot += level_index(page, w.level) * sizeof(w.entry);
		if (!m->read(m->ctx, w.level, w.slot, &w.entry))
			w.end = WALK_UNREADABLE;
		else if (!(w.entry & f->present))
			w.end = WALK_NOT_PRESENT;
		else if (is_leaf(f, w.entry, w.level))
			w.end = WALK_LEAF;
		else {
			w.slot = w.entry & f->address;
			continue;
		}
		return w;
	}
}

uint64_t walk_target(const struct pt_format *f, struct walk w, uint64_t page)
{
	uint64_t within = level_pages(w.level) - 1;

	/* Masking first also drops bit 12 of a large x86-64 leaf (PAT). */
	return (((w.entry & f->address) >> PAGE_SHIFT) & ~within) |
	       (page & within);
}
