/* SPDX-License-Identifier: MIT */
/* vma: what a process was promised. */
#include "guest/lib/string.h"
#include "guest/user/tour/demo.h"

demo_fn demo_vma;

/* The areas of this process that lie in [start, end), up to @most. */
static unsigned areas(struct demo *d, uint64_t start, uint64_t end,
		      struct area_info *area, unsigned most)
{
	struct area_info v = { 0 };
	uint64_t last = 0;
	unsigned n = 0;

	while (area_info(0, last, &v) == 1) {
		demo_true(d, v.start >= last && v.end > v.start);
		last = v.end;
		if (v.start >= start && v.end <= end && n < most)
			area[n++] = v;
	}
	return n;
}

#define AREA_PAGES 10u
#define AREAS_MOST 4u

/* The areas between the holes at both ends must be these, as page numbers. */
struct expected {
	unsigned start, end, prot;
};

static void expect(struct demo *d, uint64_t at, const char *what,
		   const struct expected *want, unsigned count)
{
	struct area_info found[AREAS_MOST] = { 0 };
	unsigned n =
		areas(d, at, at + AREA_PAGES * PAGE_SIZE, found, AREAS_MOST);

	demo_is(d, n, count);
	demo_note(d, "%s%s:", d->seen_bytes ? "; " : "", what);
	for (unsigned i = 0; i < n; i++) {
		uint64_t start = (found[i].start - at) / PAGE_SIZE;
		uint64_t end = (found[i].end - at) / PAGE_SIZE;

		demo_note(d, " [%lu,%lu)", start, end);
		if (i >= count)
			continue;
		demo_is(d, start, want[i].start);
		demo_is(d, end, want[i].end);
		demo_is(d, found[i].prot, want[i].prot);
	}
}

#define RW (PROT_READ | PROT_WRITE)

/* The list knows the stack, the text and the heap by name and kind. */
static void find_named(struct demo *d)
{
	struct area_info v = { 0 };
	bool stack = false, text = false;
	unsigned n = 0;

	for (; area_info(0, v.end, &v) == 1; n++) {
		uint64_t here = (uintptr_t)find_named;

		stack |= v.kind == VMA_STACK && v.start <= (uintptr_t)&v &&
			 v.end > (uintptr_t)&v;
		text |= v.start <= here && v.end > here &&
			v.prot == (PROT_READ | PROT_EXEC);
	}
	demo_true(d, stack);
	demo_true(d, text);
	demo_note(d, "; %u areas in all, stack and text among them", n);
}

void demo_vma(struct demo *d)
{
	char *area = demo_map(d, AREA_PAGES * PAGE_SIZE, 0);
	uint64_t at = (uintptr_t)area, page = PAGE_SIZE;

	if (!area)
		return;
	sys_munmap(at, page); /* no neighbour to merge with */
	sys_munmap(at + 9 * page, page);
	expect(d, at, "mapped", (struct expected[]){ { 1, 9, RW } }, 1);
	area[4 * page] = 'x';

	demo_is(d, sys_munmap(at + 5 * page, 2 * page), 0);
	expect(d, at, "hole", (struct expected[]){ { 1, 5, RW }, { 7, 9, RW } },
	       2);
	demo_is(d, sys_mmap(at + 5 * page, 2 * page, RW, MAP_FIXED),
		at + 5 * page);
	expect(d, at, "filled", (struct expected[]){ { 1, 9, RW } }, 1);

	demo_is(d, sys_mprotect(at + 3 * page, 2 * page, PROT_READ), 0);
	expect(d, at, "protected",
	       (struct expected[]){
		       { 1, 3, RW }, { 3, 5, PROT_READ }, { 5, 9, RW } },
	       3);
	demo_is(d, sys_mprotect(at + 3 * page, 2 * page, RW), 0);
	expect(d, at, "and back", (struct expected[]){ { 1, 9, RW } }, 1);
	demo_is(d, area[4 * page], 'x');
	find_named(d);
	show_operations(d);
	sys_munmap(at, AREA_PAGES * PAGE_SIZE);
	expect(d, at, "unmapped", NULL, 0);
}
