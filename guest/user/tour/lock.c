/* SPDX-License-Identifier: MIT */
/* mlock: what must stay; and what the hypervisor thinks of it. */
#include "guest/dev/lab.h"
#include "guest/lib/errno.h"
#include "guest/user/tour/demo.h"

demo_fn demo_mlock;

#define LOCK_PAGES 8u
#define LOCKED	   3u

/* The kernel's image ends below this. */
#define IMAGE_END (16ul << 20)

/* Linux's EBUSY, by which the lab device says so. */
#define PINNED 16

/*
 * Where the kernel tells the hypervisor who runs: that page is read while a
 * fault waits, so the hypervisor has locked it. 0: not found.
 */
static uint64_t find_ring(void)
{
	uint64_t root = page_down(demo_walk(&root).entry_pa[0]);
	uint64_t pa = demo_walk((void *)KERNEL_TEXT).pa;
	struct lab_ring r;

	for (; !sys_memory(pa, &r, sizeof(r)) && pa < IMAGE_END;
	     pa += PAGE_SIZE)
		for (unsigned i = 0; r.size == LAB_RECORDS && i < LAB_CPUS; i++)
			if (r.cpu[i].cr3 == root)
				return pa;
	return 0;
}

/* The host takes it, and the next touch brings it back: no fault of ours. */
static void take_below(struct demo *d, volatile char *page, bool counts)
{
	struct lab_counters before, after;
	uint64_t faults;

	demo_is(d, demo_lab(d, LAB_EVICT, demo_walk(page).pa), LAB_STORED);
	demo_true(d, demo_walk(page).found);
	before = demo_lab_counters(d);
	faults = demo_counts().faults;
	demo_is(d, *page, 'a');
	faults = demo_counts().faults - faults;
	after = demo_lab_counters(d);
	if (!counts)
		return;
	demo_is(d, faults, 0);
	demo_is(d, after.missing - before.missing, 1);
	demo_is(d, after.swapped_in - before.swapped_in, 1);
}

/*
 * Stage 2 knows nothing of our locks: what is locked here may be in the host's
 * swap. It has locks of its own.
 */
static void show_below(struct demo *d, volatile char *page)
{
	uint64_t ring;

	if (!demo_info().lab ||
	    sys_lab(LAB_EVICT, demo_walk(page).pa, NULL) == -ENOSPC) {
		demo_note(d, "; no lab device, or no swap below");
		return;
	}
	take_below(d, page, false); /* a rehearsal, as in stage2.c */
	take_below(d, page, true);
	ring = find_ring();
	demo_true(d, ring);
	demo_is(d, sys_lab(LAB_EVICT, ring, NULL), -PINNED);
	demo_is(d, demo_lab(d, LAB_STATE, ring), LAB_MAPPED);
	demo_note(d,
		  "; the hypervisor may take a locked page: stage-2 faults +1, "
		  "ours +0; %#lx, which it has locked itself, it refuses to",
		  ring);
}

void demo_mlock(struct demo *d)
{
	volatile char *area = demo_map(d, LOCK_PAGES * PAGE_SIZE, 0);
	uint64_t at = (uintptr_t)area, before, left;

	if (!area || !demo_has_swap(d))
		return;
	for (unsigned i = 0; i < LOCK_PAGES; i++)
		area[i * PAGE_SIZE] = (char)('a' + i);
	before = demo_counts().frames_locked;
	if (!demo_can(d, sys_mlock(at, LOCKED * PAGE_SIZE), "mlock"))
		return;
	demo_is(d, demo_counts().frames_locked - before, LOCKED);
	left = demo_page_out(d, area, LOCK_PAGES);
	demo_is(d, left, LOCKED);
	for (unsigned i = 0; i < LOCK_PAGES; i++)
		demo_is(d, demo_walk(area + i * PAGE_SIZE).found, i < LOCKED);
	demo_note(d,
		  "%u of %u pages at %#lx locked; told to leave, %u went and "
		  "%lu stayed, under pressure too",
		  LOCKED, LOCK_PAGES, at, LOCK_PAGES - LOCKED, left);

	sys_reclaim(LOCK_PAGES);
	for (unsigned i = 0; i < LOCKED; i++)
		demo_true(d, demo_walk(area + i * PAGE_SIZE).found);
	show_below(d, area);
	demo_is(d, sys_munlock(at, LOCKED * PAGE_SIZE), 0);
	demo_is(d, demo_counts().frames_locked, before);
	left = demo_page_out(d, area, LOCK_PAGES);
	demo_is(d, left, 0);
	for (unsigned i = 0; i < LOCK_PAGES; i++)
		demo_is(d, area[i * PAGE_SIZE], (char)('a' + i));
	demo_note(d, "; unlocked, they went");
	sys_munmap(at, LOCK_PAGES * PAGE_SIZE);
}
