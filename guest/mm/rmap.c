/* SPDX-License-Identifier: MIT */
/*
 * The way back: from a frame to every leaf that maps it. Nothing is stored for
 * it: an anonymous frame lies at one address, in any space, since fork leaves
 * pages where they are; a frame of a mapping lies at one index in some of the
 * areas that show that mapping. Their tables are looked at, until as many
 * leaves are found as the frame says there are. (A list of the areas that may
 * have it, Linux's anon_vma, would save looking at the others' tables, for a
 * pointer in each area, and work at each fork, split and merge.)
 */
#include "guest/cpu/tlb.h"
#include "guest/lib/broken.h"
#include "guest/mm/leaf.h"
#include "guest/mm/mapping.h"
#include "guest/mm/swap.h"

/* Zeros but for the frame and how many leaves map it; next finds the rest. */
struct place {
	struct frame *frame;
	unsigned left; /* not yet found */
	struct vma *area; /* of a mapping; anonymous: NULL */
	struct space *space;
	uintptr_t va;
	uint64_t *at;
};

/* Where the frame may be beside where we looked last. */
static bool move_on(struct place *p)
{
	const struct frame *f = p->frame;
	const struct mapping *m = f->owner;

	if (f->use == FRAME_ANON) {
		p->space = p->space ? p->space->next : spaces;
		p->va = f->index << PAGE_SHIFT;
		return p->space;
	}
	p->area = p->area ? p->area->mapping_next : m->vmas;
	if (!p->area)
		return false;
	p->space = p->area->space;
	p->va = (f->index - p->area->shift) << PAGE_SHIFT;
	return true;
}

/* The next leaf that maps the frame. */
static bool next(struct place *p)
{
	while (p->left && move_on(p)) {
		struct slot slot;

		if (p->area &&
		    (p->va < p->area->start || p->va >= p->area->end))
			continue;
		slot = table_walk(p->space->root, p->va);
		if (slot.level > 1 || leaf_frame(*slot.at) != p->frame)
			continue;
		p->at = slot.at;
		p->left--;
		return true;
	}
	return false;
}

void rmap_unmap(struct frame *f)
{
	for (struct place p = { .frame = f, .left = f->maps }; next(&p);) {
		*p.at = 0;
		if (f->use == FRAME_ANON) {
			*p.at = pte_of_slot(f->slot);
			swap_get(f->slot);
			p.space->swapped++;
		}
		tlb_flush_page(p.space, p.va);
		counts.unmapped_ptes++;
		leaf_left(p.space, f);
		if (broken("rmap"))
			break;
	}
}

bool rmap_take(struct frame *f, uint64_t bit)
{
	bool any = false;

	for (struct place p = { .frame = f, .left = f->maps }; next(&p);) {
		if (!(*p.at & bit))
			continue;
		__atomic_fetch_and(p.at, ~bit, __ATOMIC_RELAXED);
		tlb_flush_page(p.space, p.va);
		any = true;
	}
	return any;
}

bool rmap_locked(struct frame *f)
{
	for (struct place p = { .frame = f, .left = f->maps }; next(&p);)
		if (vma_above(p.space, p.va)->flags & VMA_LOCKED)
			return true;
	return false;
}
