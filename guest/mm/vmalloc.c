/* SPDX-License-Identifier: MIT */
/*
 * Kernel memory that lies together in virtual addresses only: single frames
 * from anywhere, and a page behind each area that is never mapped, so that
 * whoever runs past its end faults.
 *
 *   VMALLOC_BASE   | area     |guard| area           |guard|
 */
#include "guest/mm/slab.h"

#include "guest/cpu/tlb.h"
#include "guest/lib/broken.h"
#include "guest/mm/frame.h"
#include "guest/mm/table.h"

/* [start, end) is mapped; the guard page is at end. */
struct area {
	struct area *next; /* by address */
	uintptr_t start, end;
};

static struct area *areas;

static bool fill(const struct area *a)
{
	for (uintptr_t at = a->start; at < a->end; at += PAGE_SIZE) {
		uint64_t *leaf = table_slot(kernel_root, at, 1);
		struct frame *f = leaf ? frame_alloc_raw(FRAME_KERNEL) : NULL;

		if (!f)
			return false;
		*leaf = frame_pa(f).v | PTE_P | PTE_W | PTE_A | PTE_D | pte_g |
			pte_nx;
	}
	return true;
}

/* Into the first gap that is large enough, guard included. */
void *vmalloc(size_t bytes)
{
	struct area *a = kmalloc(sizeof(*a)), **link = &areas;
	uintptr_t at = VMALLOC_BASE, end = page_up(bytes);

	if (!a)
		return NULL;
	for (; *link && (*link)->start - at < end + PAGE_SIZE;
	     link = &(*link)->next)
		at = (*link)->end + PAGE_SIZE;
	*a = (struct area){ *link, at, at + end };
	*link = a;
	if (!fill(a)) {
		vfree((void *)at);
		return NULL;
	}
	if (broken("vmalloc"))
		*table_slot(kernel_root, a->end, 1) =
			*table_slot(kernel_root, at, 1);
	return (void *)at;
}

void vfree(void *p)
{
	struct area **link = &areas, *a;

	while ((*link)->start != (uintptr_t)p)
		link = &(*link)->next;
	a = *link;
	*link = a->next;
	for (uintptr_t at = a->start; at < a->end; at += PAGE_SIZE) {
		struct slot slot = table_walk(kernel_root, at);
		uint64_t old = *slot.at;

		if (!(old & PTE_P))
			break; /* memory was short */
		*slot.at = 0;
		tlb_flush_page(NULL, at);
		frame_put(frame_at(pte_pa(old)));
	}
	kfree(a);
}
