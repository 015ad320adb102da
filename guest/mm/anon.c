/* SPDX-License-Identifier: MIT */
#include "guest/mm/anon.h"

#include "guest/abi.h"
#include "guest/cpu/tlb.h"
#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/fault.h"
#include "guest/mm/leaf.h"
#include "guest/mm/pte.h"
#include "guest/mm/swap.h"

pa_t zero_frame;

void anon_init(void)
{
	struct frame *f = frame_alloc(FRAME_KERNEL);

	if (!f)
		panic("no frame for zeros");
	zero_frame = frame_pa(f);
}

static inline int give(struct vma *v, uintptr_t va, uint64_t *at)
{
	struct frame *f = frame_alloc(FRAME_ANON);

	if (!f)
		return -ENOMEM;
	anon_map(v, va, at, f);
	return LAB_FAULT_DEMAND_ZERO;
}

static __attribute__((noinline)) int map_zeros(struct vma *v, uintptr_t va,
					       uint64_t *at)
{
	if (broken("zero"))
		return give(v, va, at);
	counts.zero_shared++;
	*at = zero_frame.v | PTE_BORROWED | (v->bits & ~PTE_W);
	return LAB_FAULT_DEMAND_ZERO;
}

static int nopage(struct vma *v, uintptr_t va, uint64_t *at, uint64_t error)
{
	if (!(error & FAULT_W))
		return map_zeros(v, va, at);
	return give(v, va, at);
}

/* A stack is not read before it is written: its pages are its own at once. */
static int stack_nopage(struct vma *v, uintptr_t va, uint64_t *at,
			uint64_t error)
{
	int kind = give(v, va, at);

	(void)error;
	if (kind < 0)
		return kind;
	if (va < v->start && !broken("stack"))
		v->start = va;
	return LAB_FAULT_STACK;
}

/* Nobody else has it: no table, no cache, no transfer, no slot. */
static bool is_sole(struct frame *f)
{
	if (!f || f->use != FRAME_ANON || f->count > 1)
		return false;
	if (f->slot)
		swap_part(f);
	return true;
}

void anon_return(struct vma *v, uintptr_t va, uint64_t *at, struct frame *f)
{
	uint32_t slot = pte_slot(*at);

	f->index = va >> PAGE_SHIFT;
	f->maps++;
	v->space->resident++;
	v->space->swapped--;
	*at = frame_pa(f).v | (v->bits & ~PTE_W);
	if (v->flags & VMA_LOCKED)
		leaf_lock(at);
	swap_put(slot);
}

/*
 * The allocation may sleep, and the page may be evicted meanwhile: then the
 * access is repeated, and faults again.
 */
int anon_wppage(struct vma *v, uintptr_t va, uint64_t *at)
{
	uint64_t old = *at;
	bool zeros = pte_pa(old).v == zero_frame.v;
	struct frame *f;

	if (is_sole(leaf_frame(old))) {
		counts.cow_reused++;
		*at = old | PTE_W;
		return LAB_FAULT_COW;
	}
	f = frame_alloc(FRAME_ANON);
	if (!f)
		return -ENOMEM;
	if (*at != old) {
		frame_put(f);
		return LAB_FAULT_COW;
	}
	if (!zeros) {
		counts.cow_copied++;
		memcpy(direct(frame_pa(f)), direct(pte_pa(old)), PAGE_SIZE);
	}
	leaf_drop(v, at);
	anon_map(v, va, at, f);
	tlb_flush_page(v->space, va);
	return zeros ? LAB_FAULT_DEMAND_ZERO : LAB_FAULT_COW;
}

const struct vma_ops anon_ops = {
	.nopage = nopage,
	.wppage = anon_wppage,
};

const struct vma_ops stack_ops = {
	.nopage = stack_nopage,
	.wppage = anon_wppage,
};
