/* SPDX-License-Identifier: MIT */
/* rights, zero, cow, shared: one frame, more than one entry that maps it. */
#include "guest/user/tour/demo.h"

demo_fn demo_rights, demo_zero, demo_cow, demo_shared;

static volatile uint64_t *page_of(void *area, unsigned i)
{
	return (volatile uint64_t *)((char *)area + i * PAGE_SIZE);
}

/* The child's side: it gives up the right to write, and keeps the page. */
static void read_only_view(struct demo *d, void *page)
{
	volatile uint64_t *word = page;

	demo_is(d, sys_mprotect((uintptr_t)page, PAGE_SIZE, PROT_READ), 0);
	demo_is(d, *word, 1);
	demo_step(d, 1);
	demo_await(d, 2);
	demo_is(d, *word, 2);
	demo_is(d, access_error((uintptr_t)page, WRITE),
		FAULT_P | FAULT_W | FAULT_U);
	demo_is(d, *word, 2);
}

void demo_rights(struct demo *d)
{
	volatile uint64_t *word = demo_map(d, PAGE_SIZE, MAP_SHARED);
	struct walk ours, theirs;
	int64_t pid;

	if (!word)
		return;
	*word = 1;
	pid = demo_child(d, read_only_view, (void *)word);
	if (pid < 0)
		return;
	demo_await(d, 1);
	ours = demo_walk(word);
	theirs = demo_walk_of(pid, word);
	*word = 2;
	demo_step(d, 2);
	demo_join(d, pid);
	demo_is(d, ours.found && theirs.found, 1);
	demo_is(d, theirs.pa, ours.pa);
	demo_is(d, ours.entry[3] & PTE_W, PTE_W);
	demo_is(d, theirs.entry[3] & PTE_W, 0);
	demo_note(d,
		  "frame %#lx is %#lx with entry %#lx here and %#lx in process "
		  "%ld: it reads what we write; its own write: error %#x",
		  ours.pa, (uintptr_t)word, ours.entry[3], theirs.entry[3], pid,
		  FAULT_P | FAULT_W | FAULT_U);
	sys_munmap((uintptr_t)word, PAGE_SIZE);
}

#define ZEROS 4u

/* Stage 2 has its own way with zeros: to store such a page costs no write. */
static void show_zero_below(struct demo *d, volatile uint64_t *page)
{
	struct lab_counters before, after;

	if (!demo_info().lab)
		return;
	*page = 0;
	before = demo_lab_counters(d);
	demo_lab(d, LAB_EVICT, demo_walk(page).pa);
	after = demo_lab_counters(d);
	demo_is(d, after.zero_elided - before.zero_elided, 1);
	demo_is(d, after.swapped_out - before.swapped_out, 0);
	demo_is(d, *page, 0);
	demo_note(d, "; the hypervisor stored a page of zeros: 0 writes");
}

void demo_zero(struct demo *d)
{
	void *area = demo_map(d, ZEROS * PAGE_SIZE, 0);
	struct sys_counts before, read, written;
	uint64_t pa;

	if (!area)
		return;
	before = demo_counts();
	for (unsigned i = 0; i < ZEROS; i++)
		demo_is(d, *page_of(area, i), 0);
	read = demo_counts();
	pa = demo_walk(area).pa;
	for (unsigned i = 0; i < ZEROS; i++) {
		demo_is(d, demo_walk(page_of(area, i)).pa, pa);
		demo_is(d, demo_leaf(page_of(area, i)) & PTE_W, 0);
	}
	demo_is(d, read.zero_shared - before.zero_shared, ZEROS);
	demo_is(d, read.frames_anon, before.frames_anon);

	*page_of(area, 1) = 1;
	written = demo_counts();
	demo_is(d, written.frames_anon - read.frames_anon, 1);
	demo_is(d, written.faults - read.faults, 1);
	demo_true(d, demo_walk(page_of(area, 1)).pa != pa);
	demo_is(d, *page_of(area, 0), 0);
	demo_is(d, *page_of(area, 1), 1);
	demo_note(d,
		  "%u pages read: all of them frame %#lx, no frame more; one "
		  "written: frame %#lx of its own",
		  ZEROS, pa, demo_walk(page_of(area, 1)).pa);
	show_zero_below(d, page_of(area, 2));
	sys_munmap((uintptr_t)area, ZEROS * PAGE_SIZE);
}

#define COW_PAGES 16u
#define COW_CHILD 5u /* written by the child first, then by the parent */
#define COW_OURS  3u /* then written by the parent first */

/* Write pages [from, to): so many must be copied, and so many kept. */
static void write_pages(struct demo *d, void *area, unsigned from, unsigned to,
			bool copies)
{
	struct sys_counts before = demo_counts(), after;

	for (unsigned i = from; i < to; i++)
		*page_of(area, i) = 'B';
	after = demo_counts();
	demo_is(d, after.cow - before.cow, to - from);
	demo_is(d, after.cow_copied - before.cow_copied,
		copies ? to - from : 0);
	demo_is(d, after.cow_reused - before.cow_reused,
		copies ? 0 : to - from);
	demo_is(d, after.frames_anon - before.frames_anon,
		copies ? to - from : 0);
}

static void write_copies(struct demo *d, void *area)
{
	uint64_t from = demo_walk(area).pa;

	demo_await(d, 1); /* the parent is busy waiting for step 2 */
	write_pages(d, area, 0, COW_CHILD, true);
	demo_note(d, "write to %#lx copied frame %#lx to %#lx", (uintptr_t)area,
		  from, demo_walk(area).pa);
	demo_step(d, 2);
	demo_await(d, 3);
	for (unsigned i = 0; i < COW_PAGES; i++)
		demo_is(d, *page_of(area, i), i < COW_CHILD ? 'B' : 'A');
}

void demo_cow(struct demo *d)
{
	void *area = demo_map(d, COW_PAGES * PAGE_SIZE, 0);
	uint64_t pa;
	int64_t pid;

	if (!area)
		return;
	for (unsigned i = 0; i < COW_PAGES; i++)
		*page_of(area, i) = 'A';
	pa = demo_walk(area).pa;
	pid = demo_child(d, write_copies, area);
	if (pid < 0)
		return;
	for (unsigned i = 0; i < COW_PAGES; i++) {
		struct walk ours = demo_walk(page_of(area, i));
		struct walk theirs = demo_walk_of(pid, page_of(area, i));

		demo_is(d, theirs.pa, ours.pa);
		demo_is(d, (ours.entry[3] | theirs.entry[3]) & PTE_W, 0);
	}
	demo_step(d, 1);
	demo_await(d, 2);
	demo_is(d, *(volatile uint64_t *)area, 'A');
	demo_is(d, demo_walk(area).pa, pa);
	write_pages(d, area, 0, COW_CHILD, false);
	write_pages(d, area, COW_CHILD, COW_CHILD + COW_OURS, true);
	demo_step(d, 3);
	demo_join(d, pid);
	write_pages(d, area, COW_CHILD + COW_OURS, COW_PAGES, false);
	demo_note(d,
		  ", the parent still read \"A\"; of %u pages the child wrote "
		  "%u: %u copies; the parent wrote the same: 0; %u others: %u",
		  COW_PAGES, COW_CHILD, COW_CHILD, COW_OURS, COW_OURS);
	sys_munmap((uintptr_t)area, COW_PAGES * PAGE_SIZE);
}

static void share_back(struct demo *d, void *area)
{
	demo_is(d, *page_of(area, 0), 'p');
	*page_of(area, 1) = 'c'; /* nobody has touched this one yet */
	demo_step(d, 1);
	demo_await(d, 2);
	demo_is(d, *page_of(area, 0), 'P');
}

void demo_shared(struct demo *d)
{
	void *area = demo_map(d, 2 * PAGE_SIZE, MAP_SHARED);
	struct walk ours, theirs;
	int64_t pid;

	if (!area)
		return;
	*page_of(area, 0) = 'p';
	pid = demo_child(d, share_back, area);
	if (pid < 0)
		return;
	demo_await(d, 1);
	demo_is(d, *page_of(area, 1), 'c');
	for (unsigned i = 0; i < 2; i++) {
		ours = demo_walk(page_of(area, i));
		theirs = demo_walk_of(pid, page_of(area, i));
		demo_is(d, ours.found && theirs.found, 1);
		demo_is(d, theirs.pa, ours.pa);
	}
	demo_is(d, ours.entry[3] & theirs.entry[3] & PTE_W, PTE_W);
	demo_note(d,
		  "%#lx is frame %#lx in both processes, the child wrote it "
		  "first; ",
		  (uintptr_t)page_of(area, 1), ours.pa);
	ours = demo_walk((const void *)demo_child);
	theirs = demo_walk_of(pid, (const void *)demo_child);
	demo_is(d, theirs.pa, ours.pa);
	demo_note(d, "the library's text at %#lx is frame %#lx in both",
		  (uintptr_t)demo_child, ours.pa & ~0xffful);
	*page_of(area, 0) = 'P';
	demo_step(d, 2);
	demo_join(d, pid);
	sys_munmap((uintptr_t)area, 2 * PAGE_SIZE);
}
