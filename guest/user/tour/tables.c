/* SPDX-License-Identifier: MIT */
/* paging, sparse: what page tables look like. */
#include "guest/mm/table.h"
#include "guest/user/tour/demo.h"

demo_fn demo_paging, demo_sparse;

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
	demo_is(d, demo_walk((void *)(DIRECT_BASE + w.pa)).pa, w.pa);
	demo_note(d, "; in the direct map %#lx", DIRECT_BASE + w.pa);

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
