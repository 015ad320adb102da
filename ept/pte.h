/* SPDX-License-Identifier: MIT */
/*
 * A stage-2 entry: Intel's EPT format (SDM vol. 3C, 29.3.2, tables 29-1 to
 * 29-7) where the hardware gives a bit its meaning, ours where it does not.
 * This header alone knows bits.
 *
 *     63      52 51                        12 11 10 9 8 7 6  5   3 2 1 0
 *    +----------+----------------------------+-----+-+-+-+-+------+-----+
 *    |  unused  | table's or page's address  |     |D|A|L|I| type |X W R|  present
 *    +----------+----------------------------+-----+-+-+-+-+------+-----+
 *    |     payload: frame, slot or pager     |     |X W R|  kind  |0 0 0|  not present
 *    +---------------------------------------+-----+-----+--------+-----+
 *
 * An entry is present when any of R, W, X is set. Every leaf carries L, which
 * hardware ignores at level 1, so that an entry alone tells its kind. A
 * not-present entry is not wasted: it says where the page is, and keeps the
 * rights the page will have when it comes back.
 */
#ifndef EPT_PTE_H
#define EPT_PTE_H

#include <assert.h>

#include "ept/addr.h"

struct pte {
	uint64_t v;
};

enum pte_kind {
	PTE_HOLE, /* no memory was promised here; all bits zero */
	PTE_TABLE, /* present: the next level's table */
	PTE_LEAF, /* present: mapped, the page is in a frame */
	PTE_ABSENT, /* no bytes anywhere; the payload names the pager */
	PTE_ARRIVING, /* being filled: payload is its frame */
	PTE_UNMAPPED, /* bytes in the frame; a touch is a minor fault */
	PTE_LEAVING, /* unmapped and being stored: payload is its frame */
	PTE_STORED, /* in swap: payload is its slot */
	PTE_POISONED, /* its bytes are lost; an access is an error */
	PTE_KINDS
};

enum pte_rights {
	PTE_R = 1 << 0,
	PTE_W = 1 << 1,
	PTE_X = 1 << 2,
	PTE_RWX = PTE_R | PTE_W | PTE_X
};

#define PTE_WRITE_BACK	  (UINT64_C(6) << 3) /* memory type of RAM */
#define PTE_LARGE	  (UINT64_C(1) << 7)
#define PTE_ACCESSED	  (UINT64_C(1) << 8)
#define PTE_DIRTY	  (UINT64_C(1) << 9)
#define PTE_ADDRESS	  UINT64_C(0x000ffffffffff000)
#define PTE_KIND_SHIFT	  3 /* of a not-present entry */
#define PTE_KIND	  (UINT64_C(15) << PTE_KIND_SHIFT)
#define PTE_KEEP_SHIFT	  7 /* its rights when it comes back */
#define PTE_KEEP	  (UINT64_C(7) << PTE_KEEP_SHIFT)
#define PTE_PAYLOAD_SHIFT 12

static_assert(PTE_KINDS <= 16, "a kind fits its four bits");
static_assert(((PTE_KIND | PTE_KEEP) & PTE_RWX) == 0,
	      "a kind never makes an entry present");
static_assert((PTE_KIND & PTE_KEEP) == 0, "kind and rights do not overlap");
static_assert(((PTE_KIND | PTE_KEEP) >> PTE_PAYLOAD_SHIFT) == 0,
	      "the payload has bits of its own");
static_assert((PTE_ADDRESS & (PTE_WRITE_BACK | PTE_LARGE | PTE_ACCESSED |
			      PTE_DIRTY | PTE_RWX)) == 0,
	      "the address has bits of its own");

static inline bool pte_present(struct pte e)
{
	return e.v & PTE_RWX;
}

static inline enum pte_kind pte_kind(struct pte e)
{
	if (!pte_present(e))
		return (e.v & PTE_KIND) >> PTE_KIND_SHIFT;
	return e.v & PTE_LARGE ? PTE_LEAF : PTE_TABLE;
}

static inline unsigned pte_rights(struct pte e)
{
	return (pte_present(e) ? e.v : e.v >> PTE_KEEP_SHIFT) & PTE_RWX;
}

/* Frame, slot or pager of a page's entry; never called on a table. */
static inline uint64_t pte_payload(struct pte e)
{
	if (pte_present(e))
		return (e.v & PTE_ADDRESS) >> PAGE_SHIFT;
	return e.v >> PTE_PAYLOAD_SHIFT;
}

static inline struct pte pte_hole(void)
{
	return (struct pte){ 0 };
}

/* A mapped page; @rights are not empty. */
static inline struct pte pte_leaf(frame_t f, unsigned rights)
{
	assert(rights & PTE_RWX);
	return (struct pte){ f.v << PAGE_SHIFT | PTE_LARGE | PTE_WRITE_BACK |
			     rights };
}

/* A page that is not mapped, of a kind other than hole, table and leaf. */
static inline struct pte pte_away(enum pte_kind kind, uint64_t payload,
				  unsigned rights)
{
	assert(kind > PTE_LEAF && kind < PTE_KINDS);
	return (struct pte){ payload << PTE_PAYLOAD_SHIFT |
			     (uint64_t)rights << PTE_KEEP_SHIFT |
			     (uint64_t)kind << PTE_KIND_SHIFT };
}

static inline struct pte pte_table(const struct pte *table)
{
	return (struct pte){ (uintptr_t)table | PTE_RWX };
}

/* The table a table entry points to: a host pointer, page-aligned. */
static inline struct pte *pte_child(struct pte e)
{
	assert(pte_kind(e) == PTE_TABLE);
	return (struct pte *)(uintptr_t)(e.v & PTE_ADDRESS);
}

/* Does the page of such an entry have a frame of its own? */
static inline bool pte_has_frame(struct pte e)
{
	switch (pte_kind(e)) {
	case PTE_LEAF:
	case PTE_ARRIVING:
	case PTE_UNMAPPED:
	case PTE_LEAVING:
		return true;
	default:
		return false;
	}
}

static inline frame_t pte_frame(struct pte e)
{
	assert(pte_has_frame(e));
	return (frame_t){ pte_payload(e) };
}

static inline slot_t pte_slot(struct pte e)
{
	assert(pte_kind(e) == PTE_STORED);
	return (slot_t){ pte_payload(e) };
}

/* @e with other rights; a leaf left with none is a programming error. */
static inline struct pte pte_with_rights(struct pte e, unsigned rights)
{
	if (pte_present(e))
		return (struct pte){ (e.v & ~(uint64_t)PTE_RWX) | rights };
	return (struct pte){ (e.v & ~PTE_KEEP) | (uint64_t)rights
							 << PTE_KEEP_SHIFT };
}

/* The entry of the page @pages behind the one that @e describes, when both
 * belong to one large entry: frames count up, anything else stays. */
static inline struct pte pte_offset(struct pte e, uint64_t pages)
{
	if (pte_has_frame(e))
		e.v += pages << PAGE_SHIFT;
	return e;
}

/*
 * May @e stand at @level, for level_pages(level) pages? A large leaf exists
 * at levels 2 and 3 and needs an aligned frame; a slot names one page only;
 * what has no frame may cover any span.
 */
static inline bool pte_fits(struct pte e, unsigned level)
{
	if (level == 1)
		return true;
	if (pte_has_frame(e))
		return level <= 3 &&
		       (pte_payload(e) & (level_pages(level) - 1)) == 0;
	return pte_kind(e) == PTE_HOLE || pte_kind(e) == PTE_ABSENT;
}

#endif
