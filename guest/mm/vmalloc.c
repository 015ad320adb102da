/* SPDX-License-Identifier: MIT */
#include "guest/mm/vmalloc.h"

#include "guest/cpu/tlb.h"
#include "guest/lib/broken.h"
#include "guest/mm/frame.h"
#include "guest/mm/kmap.h"
#include "guest/mm/pte.h"
#include "guest/mm/slab.h"

/* [start, end) is mapped; the guard page is at end. */
struct area {
	struct area *next; /* by address */
	uintptr_t start, end;
};

static struct area *areas;

/* The link to the area at @p; to NULL if there is none. */
static struct area **find(const void *p)
{
	struct area **link = &areas;

	while (*link && (*link)->start != (uintptr_t)p)
		link = &(*link)->next;
	return link;
}

static void unmap(uintptr_t at, uintptr_t end)
{
	for (; at < end; at += PAGE_SIZE) {
		uint64_t *leaf = kmap_leaf(at);
		uint64_t old = *leaf;

		*leaf = 0;
		tlb_flush_page(NULL, at);
		frame_put(frame_at(pte_pa(old)));
	}
}

/* Where mapping stopped: @end unless there are no frames. */
static uintptr_t map(uintptr_t at, uintptr_t end)
{
	for (; at < end; at += PAGE_SIZE) {
		uint64_t *leaf = kmap_leaf(at);
		struct frame *f = leaf ? frame_alloc_raw(FRAME_KERNEL) : NULL;

		if (!f)
			break;
		*leaf = frame_pa(f).v | PTE_P | PTE_W | PTE_A | PTE_D | pte_g |
			pte_nx;
	}
	return at;
}

/* The first gap that is large enough, guard included. */
static struct area *reserve(size_t bytes)
{
	struct area *a = kmalloc(sizeof(*a)), **link = &areas;
	uintptr_t at = VMALLOC_BASE;

	if (!a)
		return NULL;
	for (; *link && (*link)->start - at < bytes + PAGE_SIZE;
	     link = &(*link)->next)
		at = (*link)->end + PAGE_SIZE;
	*a = (struct area){ *link, at, at + bytes };
	*link = a;
	return a;
}

static void release(struct area *a, uintptr_t mapped_end)
{
	unmap(a->start, mapped_end);
	*find((void *)a->start) = a->next;
	kfree(a);
}

void *vmalloc(size_t bytes)
{
	uintptr_t mapped;
	struct area *a;

	if (!bytes || bytes > VMALLOC_BYTES)
		return NULL;
	a = reserve(page_up(bytes));
	if (!a)
		return NULL;
	mapped = map(a->start, a->end);
	if (mapped < a->end) {
		release(a, mapped);
		return NULL;
	}
	if (broken("vmalloc"))
		*kmap_leaf(a->end) = *kmap_leaf(a->start);
	return (void *)a->start;
}

void vfree(void *p)
{
	struct area *a = p ? *find(p) : NULL;

	if (a)
		release(a, a->end);
}

bool vmalloc_pa(const void *p, pa_t *pa)
{
	uint64_t *leaf = kmap_leaf((uintptr_t)p);

	if (!leaf || !(*leaf & PTE_P))
		return false;
	pa->v = pte_pa(*leaf).v + page_offset((uintptr_t)p);
	return true;
}

const void *vmalloc_guard(const void *p)
{
	return (void *)(*find(p))->end;
}

uint64_t vmalloc_pieces(const void *p)
{
	const struct area *a = *find(p);
	pa_t last = { 0 }, pa = { 0 };
	uint64_t pieces = 0;

	for (uintptr_t at = a->start; at < a->end; at += PAGE_SIZE) {
		vmalloc_pa((void *)at, &pa);
		pieces += pa.v != last.v + PAGE_SIZE;
		last = pa;
	}
	return pieces;
}
