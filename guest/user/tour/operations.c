/* SPDX-License-Identifier: MIT */
/*
 * vma, second part: what is special about a kind of area is in its table of
 * operations. Each kind is taken through all that can happen to a page of it,
 * and each time what happens must be what only that operation does:
 *
 *	nopage, wppage	its own functions: the kinds of the faults tell
 *	swapout, swapin	to a slot of swap, or to where the file has the page
 *	sync		stores what is dirty of a file, and of nothing else
 *	protect, advise, unmap	its entries
 *	open, close	what it shows is held until its last area is gone
 */
#include "guest/lib/errno.h"
#include "guest/user/tour/demo.h"

#define FILE_NAME "/demo-vma"
#define RW	  (PROT_READ | PROT_WRITE)

enum { NONE = 0 }; /* no fault */

/* Which fault comes of each access, by enum lab_fault_kind. */
struct kind {
	const char *name;
	enum vma_kind is;
	unsigned flags; /* as for mmap */
	uint8_t read; /* first of all */
	uint8_t write; /* after the right to write was away for a while */
	uint8_t back; /* read again after it was evicted */
	uint8_t again; /* written to after that */
};

static const struct kind kinds[] = {
	{ "anonymous", VMA_ANON, 0, LAB_FAULT_DEMAND_ZERO,
	  LAB_FAULT_DEMAND_ZERO, LAB_FAULT_SWAP_IN, LAB_FAULT_COW },
	{ "a file, private", VMA_FILE, MAP_FILE, LAB_FAULT_DEMAND_FILE,
	  LAB_FAULT_COW, LAB_FAULT_SWAP_IN, LAB_FAULT_COW },
	{ "a file, shared", VMA_FILE, MAP_FILE | MAP_SHARED,
	  LAB_FAULT_DEMAND_FILE, LAB_FAULT_DEMAND_FILE, LAB_FAULT_DEMAND_FILE,
	  LAB_FAULT_DEMAND_FILE },
	{ "shared memory", VMA_SHARED, MAP_SHARED, LAB_FAULT_DEMAND_ZERO,
	  LAB_FAULT_DEMAND_ZERO, LAB_FAULT_DEMAND_ZERO, NONE },
	{ "the stack", VMA_STACK, 0, LAB_FAULT_STACK, NONE, LAB_FAULT_SWAP_IN,
	  LAB_FAULT_COW },
};

#define KINDS	     (sizeof(kinds) / sizeof(kinds[0]))
#define SHARED_FILE  2
#define SHARED_PAGES 3

static bool is_slot(const struct kind *k)
{
	return k->back == LAB_FAULT_SWAP_IN;
}

/* One access, one fault of kind @want, or none. */
static void touch(struct demo *d, volatile char *page, enum access access,
		  enum lab_fault_kind want)
{
	struct sys_counts before = demo_counts(), after;

	if (access == WRITE)
		page[1] = 'w';
	else
		(void)page[1];
	after = demo_counts();
	demo_is(d, after.faults - before.faults, want ? 1 : 0);
	demo_is(d, after.fault[want] - before.fault[want], want ? 1 : 0);
}

static bool is_dirty(const volatile char *page)
{
	struct frame f;

	kernel_frame(demo_walk(page).pa, &f);
	return f.flags & FRAME_DIRTY;
}

/* protect: the entry loses W, and gets it back, or the right to ask for it. */
static void take_right(struct demo *d, volatile char *page)
{
	uint64_t at = (uintptr_t)page;

	demo_is(d, sys_mprotect(at, PAGE_SIZE, PROT_READ), 0);
	demo_is(d, demo_leaf(page) & PTE_W, 0);
	demo_is(d, access_error(at, WRITE), FAULT_P | FAULT_W | FAULT_U);
	demo_is(d, sys_mprotect(at, PAGE_SIZE, RW), 0);
}

/* advise and sync. */
static void advise(struct demo *d, const struct kind *k, volatile char *page)
{
	bool dirty = is_dirty(page);

	demo_is(d, sys_madvise((uintptr_t)page, PAGE_SIZE, MADVISE_COLD), 0);
	demo_is(d, demo_leaf(page) & (PTE_P | PTE_A), PTE_P);
	demo_is(d, dirty, !!(k->flags & MAP_SHARED));
	demo_is(d, sys_msync((uintptr_t)page, PAGE_SIZE), 0);
	demo_is(d, is_dirty(page), k->is == VMA_SHARED);
}

/* swapout: the entry is that of a slot, or empty; what is dirty is stored. */
static void evict(struct demo *d, const struct kind *k, volatile char *page)
{
	bool file = k->flags & MAP_SHARED;
	struct sys_counts before = demo_counts(), after;

	demo_is(d, demo_page_out(d, page, 1), 0);
	after = demo_counts();
	demo_is(d, pte_is_slot(demo_leaf(page)), is_slot(k));
	demo_is(d, demo_leaf(page) != 0, is_slot(k));
	demo_is(d, after.evicted_anon - before.evicted_anon, !file);
	demo_is(d, after.evicted_file - before.evicted_file, file);
	demo_is(d, after.swap_writes - before.swap_writes,
		is_slot(k) || k->is == VMA_SHARED);
}

static void take_through(struct demo *d, const struct kind *k,
			 volatile char *page)
{
	touch(d, page, READ, k->read);
	take_right(d, page);
	touch(d, page, WRITE, k->write);
	page[1] = 'w';
	advise(d, k, page);
	evict(d, k, page);
	touch(d, page, READ, k->back);
	demo_is(d, page[1], 'w');
	touch(d, page, WRITE, k->again);
}

/* The area's table, whose functions are the kernel's text; nopage. */
static uint64_t look_at_table(struct demo *d, const struct kind *k,
			      const volatile char *page, uint64_t *nopage)
{
	struct area_info a = { 0 };
	uint64_t fn[2] = { 0 };

	demo_is(d, area_info(0, (uintptr_t)page, &a), 1);
	demo_is(d, a.kind, k->is);
	demo_is(d, sys_memory(a.ops - KERNEL_BASE, fn, sizeof(fn)), 0);
	for (unsigned i = 0; i < 2; i++)
		demo_true(d, fn[i] >= KERNEL_TEXT && fn[i] < a.ops);
	demo_note(d, "%s %#lx", k == kinds ? "; operations:" : ",", a.ops);
	demo_note(d, " (%s)", k->name);
	*nopage = fn[0];
	return a.ops;
}

/* A page of it. NULL: not here. */
static volatile char *map_kind(struct demo *d, const struct kind *k, int fd)
{
	struct area_info a = { 0 };
	int64_t at;

	if (k->is == VMA_STACK) {
		area_info(0, STACK_TOP - 1, &a);
		return (volatile char *)(a.start - PAGE_SIZE);
	}
	if (k->is == VMA_FILE && fd < 0)
		return NULL;
	at = k->is == VMA_FILE ? sys_mmap_file(fd, 0, PAGE_SIZE, RW, k->flags)
			       : sys_mmap(0, PAGE_SIZE, RW, k->flags);
	return demo_true(d, at > 0) ? (volatile char *)at : NULL;
}

/* unmap: the entry is empty, and no area is there. */
static void unmap(struct demo *d, volatile char *page)
{
	struct area_info a = { 0 };

	demo_is(d, sys_munmap((uintptr_t)page, PAGE_SIZE), 0);
	demo_is(d, demo_leaf(page), 0);
	demo_true(d, area_info(0, (uintptr_t)page, &a) != 1 ||
			     a.start > (uintptr_t)page);
}

/* open and close: both pages are there until neither can be seen. */
static void show_hold(struct demo *d)
{
	volatile char *two = demo_map(d, 2 * PAGE_SIZE, MAP_SHARED);
	uint64_t frames;

	if (!two)
		return;
	two[0] = two[PAGE_SIZE] = 1;
	frames = demo_counts().frames_file;
	unmap(d, two);
	demo_is(d, demo_counts().frames_file, frames);
	unmap(d, two + PAGE_SIZE);
	demo_is(d, demo_counts().frames_file, frames - 2);
}

/* Each kind has a table of its own, but all that is shared is of one. */
static void compare_tables(struct demo *d, const uint64_t *ops,
			   const uint64_t *nopage)
{
	for (unsigned i = 0; i < KINDS; i++)
		for (unsigned k = 0; k < i; k++) {
			bool same = k == SHARED_FILE && i == SHARED_PAGES;

			if (!ops[i] || !ops[k])
				continue;
			demo_is(d, ops[i] == ops[k], same);
			demo_is(d, nopage[i] == nopage[k], same);
		}
}

void show_operations(struct demo *d)
{
	uint64_t ops[KINDS] = { 0 }, nopage[KINDS] = { 0 };
	int fd = (int)demo_file(d, FILE_NAME, 1);
	const struct kind *k = kinds;

	if (!demo_counts().slots_total) {
		demo_note(d, "; no swap disk: operations not shown");
		return;
	}
	for (unsigned i = 0; i < KINDS; i++, k++) {
		volatile char *page = map_kind(d, k, fd);

		if (!page)
			continue;
		take_through(d, k, page);
		ops[i] = look_at_table(d, k, page, &nopage[i]);
		if (k->is != VMA_STACK)
			unmap(d, page);
	}
	compare_tables(d, ops, nopage);
	show_hold(d);
	demo_note(d, ": each called");
	if (fd >= 0)
		demo_remove_file(d, FILE_NAME, fd);
}
