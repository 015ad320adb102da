/* SPDX-License-Identifier: MIT */
/* paging, sparse, pte-bits: what page tables look like and what bits do. */
#include "guest/mm/table.h"
#include "guest/user/tour/demo.h"

demo_fn demo_paging, demo_sparse, demo_pte_bits;

/*
 * Every entry must lie where the 9 bits of the address for its level say, in
 * the table that the entry above names.
 */
static void check_walk(struct demo *d, uintptr_t va, const struct walk *w)
{
	for (unsigned i = 0; i < w->entries; i++) {
		unsigned index = level_index(va, TABLE_TOP - (int)i);

		demo_note(d, "%s[%u]=%#lx", i ? " " : "", index, w->entry[i]);
		demo_is(d, (w->entry_pa[i] & 0xfff) / 8, index);
		if (i)
			demo_is(d, w->entry_pa[i] & ~0xffful,
				pte_pa(w->entry[i - 1]).v);
	}
	demo_is(d, w->found, 1);
}

/* The processor goes the same way; what is 2 MiB on is another entry's. */
static void compare(struct demo *d, const int *at, const struct walk *w)
{
	int there = 0;

	demo_is(d, sys_memory(w->pa, &there, sizeof(there)), 0);
	demo_is(d, there, *at);
	demo_true(d,
		  demo_walk((void *)((uintptr_t)at ^ LARGE_SIZE)).pa != w->pa);
}

void demo_paging(struct demo *d)
{
	const uint64_t hole = 0x0000800000000000; /* bit 47 without the rest */
	uint64_t kernel = KERNEL_TEXT;
	struct refusal why = { 0 };
	int on_stack = 1;
	struct walk w = demo_walk(&on_stack);

	demo_note(d, "user %#lx: ", (uintptr_t)&on_stack);
	check_walk(d, (uintptr_t)&on_stack, &w);
	compare(d, &on_stack, &w);
	demo_is(d, w.entries, 4);
	demo_true(d, level_index((uintptr_t)&on_stack, TABLE_TOP) < 256);

	w = demo_walk((void *)kernel);
	demo_note(d, "; kernel %#lx: ", kernel);
	check_walk(d, kernel, &w);
	demo_true(d, level_index(kernel, TABLE_TOP) >= 256);

	demo_true(d, access_refused(hole, READ, &why));
	demo_note(d, "; %#lx is non-canonical: exception %lu", hole,
		  why.vector);
	demo_is(d, why.vector, 13); /* #GP, not a page fault */
	demo_is(d, why.error, 0);
}

/* A flat table of 4 KiB pages has an entry for each page of 48 bits. */
#define FLAT_BYTES ((1ul << (48 - PAGE_SHIFT)) * 8)

void demo_sparse(struct demo *d)
{
	uint64_t at = USER_END - PAGE_SIZE;
	struct sys_counts before = demo_counts(), after;
	int64_t got =
		sys_mmap(at, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_FIXED);

	if (!demo_is(d, got, at))
		return;
	demo_is(d, demo_counts().frames_tables, before.frames_tables);
	*(volatile char *)at = 1;
	after = demo_counts();
	demo_is(d, after.frames_tables - before.frames_tables, 3);
	demo_is(d, after.frames_anon - before.frames_anon, 1);
	demo_note(d,
		  "the page at %#lx cost %lu tables (%lu KiB); there are "
		  "%lu, a flat table would take %lu GiB",
		  at, after.frames_tables - before.frames_tables,
		  (after.frames_tables - before.frames_tables) * 4,
		  after.frames_tables, FLAT_BYTES >> 30);
	sys_munmap(at, PAGE_SIZE);
}

/* A and D are the processor's to set, ours to clear. */
static void show_accessed_dirty(struct demo *d, volatile char *page)
{
	demo_is(d, demo_leaf(page) & PTE_P, 0);
	(void)*page;
	demo_is(d, demo_leaf(page) & (PTE_P | PTE_A | PTE_D), PTE_P | PTE_A);
	demo_note(d, "read: P A");
	*page = 1;
	demo_is(d, demo_leaf(page) & (PTE_A | PTE_D), PTE_A | PTE_D);
	demo_note(d, "; write: P A D");

	demo_is(d, sys_madvise((uintptr_t)page, PAGE_SIZE, MADVISE_COLD), 0);
	demo_is(d, demo_leaf(page) & (PTE_A | PTE_D), 0);
	(void)*page;
	demo_is(d, demo_leaf(page) & (PTE_A | PTE_D), PTE_A);
	demo_note(d, "; cleared, read: A");
	*page = 2;
	demo_is(d, demo_leaf(page) & (PTE_A | PTE_D), PTE_A | PTE_D);
	demo_note(d, "; write: A D");
}

/* W, U and NX: set and clear, and the access they decide. */
static void show_rights(struct demo *d, volatile char *page)
{
	uint64_t at = (uintptr_t)page;

	demo_is(d, demo_leaf(page) & (PTE_W | PTE_U), PTE_W | PTE_U);
	demo_is(d, access_error(at, WRITE), ACCESS_DONE);
	sys_mprotect(at, PAGE_SIZE, PROT_READ);
	demo_is(d, demo_leaf(page) & (PTE_W | PTE_U), PTE_U);
	demo_is(d, access_error(at, WRITE), FAULT_P | FAULT_W | FAULT_U);
	demo_note(d, "; W off: write refused");

	if (demo_info().no_execute) {
		demo_is(d, demo_leaf(page) & PTE_NX, PTE_NX);
		demo_is(d, access_error(at, EXECUTE),
			FAULT_P | FAULT_U | FAULT_I);
		demo_note(d, "; NX: execution refused");
	}
	sys_mprotect(at, PAGE_SIZE, PROT_NONE);
	demo_is(d, demo_leaf(page) & PTE_P, 0);
	demo_is(d, demo_leaf(page) & PTE_KEPT, PTE_KEPT);
	demo_is(d, access_error(at, READ), FAULT_U);
	sys_mprotect(at, PAGE_SIZE, PROT_READ);
	demo_is(d, (uint8_t)*page, RET_OPCODE); /* as written above */
	demo_note(d, "; P off: read refused, the page kept");
}

/* In ring 0 a missing W holds only while CR0.WP is set. */
static void show_write_protect(struct demo *d)
{
	struct sys_probe p = { 0 };

	demo_is(d, sys_probe(&p), 0);
	demo_is(d, p.written, 1);
	demo_is(d, p.refused, 1);
	demo_note(d, "; ring 0, W off: written with CR0.WP off, refused with "
		     "it on");
}

void demo_pte_bits(struct demo *d)
{
	volatile char *page = demo_map(d, PAGE_SIZE, 0);
	uint64_t in_direct_map, kernel_pa;
	struct walk w;

	if (!page)
		return;
	show_accessed_dirty(d, page);
	show_rights(d, page);
	show_write_protect(d);

	kernel_pa = demo_walk((void *)KERNEL_TEXT).pa;
	in_direct_map = DIRECT_BASE + kernel_pa;
	w = demo_walk((void *)in_direct_map);
	demo_is(d, w.entries, 3);
	demo_is(d, w.entry[2] & (PTE_P | PTE_W | PTE_U | PTE_PS),
		PTE_P | PTE_W | PTE_PS);
	demo_is(d, w.pa, kernel_pa);
	demo_is(d, access_error(in_direct_map, READ), FAULT_P | FAULT_U);
	demo_note(d,
		  "; the kernel again at %#lx, in a 2 MiB leaf (PS) "
		  "without U: read refused",
		  in_direct_map);
	sys_munmap((uintptr_t)page, PAGE_SIZE);
}
