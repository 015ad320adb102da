/* SPDX-License-Identifier: MIT */
#include "guest/mm/rmap.h"

#include "guest/cpu/tlb.h"
#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/mm/anon.h"
#include "guest/mm/leaf.h"
#include "guest/mm/mapping.h"
#include "guest/mm/swap.h"

/* One leaf that maps @f. True: that is enough. */
typedef bool found_fn(struct frame *f, struct vma *v, uintptr_t va,
		      uint64_t *at);

/* If the page at @va of @v, which may lie outside it, is @f. */
static bool visit(struct frame *f, struct vma *v, uintptr_t va, found_fn *found)
{
	struct slot slot;

	if (va < v->start || va >= v->end)
		return false;
	slot = table_walk(v->space->root, va);
	if (slot.level != 1 || leaf_frame(*slot.at) != f)
		return false;
	return found(f, v, va, slot.at);
}

/* @found may unmap @f: the count of leaves is that of the beginning. */
static void each(struct frame *f, found_fn *found)
{
	uintptr_t va = f->index << PAGE_SHIFT;
	struct vma *v;

	if (!f->maps)
		return;
	if (f->use == FRAME_ANON) {
		for (v = ((struct anon *)f->owner)->vmas; v; v = v->anon_next)
			if (visit(f, v, va, found))
				return;
		return;
	}
	for (v = ((struct mapping *)f->owner)->vmas; v; v = v->mapping_next) {
		va = v->start + ((f->index - v->offset) << PAGE_SHIFT);
		if (f->index >= v->offset && visit(f, v, va, found))
			return;
	}
}

static bool unmap(struct frame *f, struct vma *v, uintptr_t va, uint64_t *at)
{
	*at = 0;
	if (f->use == FRAME_ANON) {
		*at = pte_of_slot(f->slot - 1);
		swap_get(f->slot - 1);
		v->space->swapped++;
	}
	tlb_flush_page(v->space, va);
	v->space->resident--;
	counts.unmapped_ptes++;
	f->maps--;
	leaf_unlocked(f);
	frame_put(f);
	return broken("rmap") || !f->maps;
}

unsigned rmap_unmap(struct frame *f)
{
	unsigned maps = f->maps;

	each(f, unmap);
	return maps - f->maps;
}

/* The answer of a walk over all leaves; the kernel lock is held. */
static bool answer;
static unsigned left;

static bool take_accessed(struct frame *f, struct vma *v, uintptr_t va,
			  uint64_t *at)
{
	(void)f;
	if (*at & PTE_A) {
		__atomic_fetch_and(at, ~PTE_A, __ATOMIC_RELAXED);
		tlb_flush_page(v->space, va);
		answer = true;
	}
	return !--left;
}

bool rmap_referenced(struct frame *f)
{
	answer = false;
	left = f->maps;
	each(f, take_accessed);
	return answer;
}

static bool take_write(struct frame *f, struct vma *v, uintptr_t va,
		       uint64_t *at)
{
	(void)f;
	if (*at & PTE_W) {
		__atomic_fetch_and(at, ~PTE_W, __ATOMIC_RELAXED);
		tlb_flush_page(v->space, va);
	}
	return !--left;
}

void rmap_protect(struct frame *f)
{
	left = f->maps;
	each(f, take_write);
}

static bool find_locked(struct frame *f, struct vma *v, uintptr_t va,
			uint64_t *at)
{
	(void)f;
	(void)va;
	(void)at;
	answer = v->flags & VMA_LOCKED;
	return answer;
}

bool rmap_locked(struct frame *f)
{
	answer = false;
	each(f, find_locked);
	return answer;
}

static const struct space *wanted;

static bool find_space(struct frame *f, struct vma *v, uintptr_t va,
		       uint64_t *at)
{
	(void)f;
	(void)va;
	(void)at;
	answer = v->space == wanted;
	return answer;
}

bool rmap_in(struct frame *f, const struct space *s)
{
	answer = false;
	wanted = s;
	each(f, find_space);
	return answer;
}
