/* SPDX-License-Identifier: MIT */
#include "guest/mm/anon.h"

#include "guest/cpu/tlb.h"
#include "guest/lib/base.h"
#include "guest/mm/slab.h"
#include "guest/mm/swap.h"

static const char zero_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
pa_t zero_frame = { (uintptr_t)zero_page - KERNEL_BASE };

/*
 * A write is coming: D now spares the processor setting it, and a hypervisor
 * that shadows these tables an entry that it must take for read-only.
 */
static inline int give(struct vma *v, uintptr_t va, uint64_t *at)
{
	struct frame *f = frame_alloc(FRAME_ANON);

	if (!f)
		return -ENOMEM;
	anon_map(v, va, at, f, v->bits | PTE_D);
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
		memcpy(frame_bytes(f), direct(pte_pa(old)), PAGE_SIZE);
	}
	leaf_drop(v, at);
	anon_map(v, va, at, f, v->bits | PTE_D);
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

struct shared {
	struct mapping mapping; /* the first: they have one address */
	uint64_t pages, holders;
};

static void hold(struct mapping *m)
{
	((struct shared *)m)->holders++;
}

static void release(struct mapping *m)
{
	struct shared *s = (struct shared *)m;

	if (--s->holders)
		return;
	mapping_discard(m, 0, UINT64_MAX);
	frame_unpromise(s->pages);
	kfree(s);
}

static const struct mapping_ops shared_pages = {
	.transfer = swap_transfer,
	.hold = hold,
	.release = release,
};

struct mapping *shared_new(uint64_t pages)
{
	struct shared *s;

	if (!frame_promise(pages))
		return NULL;
	s = kzalloc(sizeof(*s));
	if (!s) {
		frame_unpromise(pages);
		return NULL;
	}
	mapping_init(&s->mapping, &shared_pages);
	s->pages = pages;
	s->holders = 1;
	return &s->mapping;
}
