/* SPDX-License-Identifier: MIT */
/* frames, demand, stack: where memory comes from, and when. */
#include "guest/lib/string.h"
#include "guest/user/lib/malloc.h"
#include "guest/user/tour/demo.h"

demo_fn demo_frames, demo_demand, demo_stack;

static struct frame frame(uint64_t pa)
{
	struct frame info = { 0 };

	kernel_frame(pa, &info);
	return info;
}

/* A device of old reaches 16 MiB: such frames come from there. */
static uint64_t take_for_device(struct demo *d)
{
	struct sys_object o = { .command = OBJECT_ALLOC,
				.kind = OBJECT_DMA,
				.bytes = 4 * PAGE_SIZE };
	uint64_t pa;

	demo_is(d, sys_object(&o), 0);
	pa = demo_walk((void *)o.address).pa;
	demo_true(d, pa + 4 * PAGE_SIZE <= 16ul << 20);
	demo_is(d, frame(pa).use, FRAME_DMA);
	o.command = OBJECT_FREE;
	demo_is(d, sys_object(&o), 0);
	return pa;
}

/*
 * What would be given out next: the free blocks, each with its neighbours in
 * its list, as many as the list says, and none where nothing may be had. How
 * many.
 */
static uint64_t check_list(struct demo *d, const struct frame_list *list,
			   unsigned order)
{
	uint64_t n = 0, last = 0, pa;
	struct frame f;

	for (uint64_t i = list->first; i && n <= list->count; n++) {
		pa = i << PAGE_SHIFT;
		f = frame(pa);
		demo_true(d, f.use != FRAME_RESERVED && f.use <= FRAME_FREE);
		demo_is(d, f.flags & FRAME_HEAD, FRAME_HEAD);
		demo_is(d, f.order, order);
		demo_is(d, f.prev, last);
		pa += PAGE_SIZE * ((1ul << order) - 1);
		demo_true(d, frame(pa).use != FRAME_RESERVED);
		last = i;
		i = f.next;
	}
	demo_is(d, n, list->count);
	demo_is(d, list->last, last);
	return n;
}

static uint64_t check_free_lists(struct demo *d)
{
	uint64_t blocks = 0;
	struct zone z;

	for (unsigned i = 0; kernel_zone(i, &z) == 1; i++)
		for (unsigned order = 0; order < ZONE_ORDERS; order++)
			blocks += check_list(d, &z.free[order], order);
	return blocks;
}

#define FRAMES_TAKEN 64u

/* Take some frames: each must be ordinary RAM, ours alone, and no other's. */
void demo_frames(struct demo *d)
{
	struct sys_counts before = demo_counts();
	char *area = demo_map(d, FRAMES_TAKEN * PAGE_SIZE, MAP_POPULATE);
	struct sys_counts taken = demo_counts();
	uint64_t pa[FRAMES_TAKEN], kernel;

	if (!area)
		return;
	demo_is(d, taken.frames_anon - before.frames_anon, FRAMES_TAKEN);
	for (unsigned i = 0; i < FRAMES_TAKEN; i++) {
		pa[i] = demo_walk(area + i * PAGE_SIZE).pa;
		demo_is(d, frame(pa[i]).use, FRAME_ANON);
		demo_is(d, frame(pa[i]).count, 1);
		demo_is(d, frame(pa[i]).index, (uintptr_t)area / PAGE_SIZE + i);
		demo_true(d, pa[i] >= 1ul << 20);
		for (unsigned j = 0; j < i; j++)
			demo_true(d, pa[j] != pa[i]);
	}
	kernel = demo_walk((void *)KERNEL_TEXT).pa;
	demo_is(d, frame(kernel).use, FRAME_RESERVED);
	demo_is(d, frame(0x1000).use, FRAME_RESERVED);
	demo_is(d, frame(demo_walk((void *)demo_info().lapic).pa).use,
		FRAME_NONE);
	sys_munmap((uintptr_t)area, FRAMES_TAKEN * PAGE_SIZE);
	demo_is(d, frame(pa[0]).use, FRAME_FREE);
	demo_is(d, demo_counts().frames_anon, before.frames_anon);
	demo_note(d,
		  "%lu of %lu frames used; took %u (%#lx..%#lx), gave them "
		  "back; for a device %#lx; 0x1000 and the kernel at %#lx are "
		  "reserved, device registers are no RAM; %lu free blocks, "
		  "listed both ways",
		  used_frames(&before), all_frames(), FRAMES_TAKEN, pa[0],
		  pa[FRAMES_TAKEN - 1], take_for_device(d), kernel & ~0xffful,
		  check_free_lists(d));
}

#define DEMAND_PAGES  4096u
#define DEMAND_STRIDE 128u

/* The heap is promised in the same way as an area is. */
static void show_heap(struct demo *d)
{
	int64_t heap = sys_sbrk(5 * PAGE_SIZE);
	uint64_t before = demo_counts().demand_zero;

	if (!demo_true(d, heap > 0))
		return;
	heap = (heap + (int64_t)PAGE_SIZE - 1) & -(int64_t)PAGE_SIZE;
	for (unsigned i = 0; i < 4; i++)
		*(volatile char *)(heap + i * PAGE_SIZE) = 1;
	demo_is(d, demo_counts().demand_zero - before, 4);
	demo_note(d, "; 4 pages of heap at %#lx: 4 more", (uint64_t)heap);
}

#define SMALL 100u
#define LARGE (32 * PAGE_SIZE)

/* What malloc makes of both: small from the heap and used again, large by mmap
 * and gone when it is free. */
static void show_malloc(struct demo *d)
{
	char *a = malloc(SMALL), *b = malloc(SMALL), *c, *large;

	if (!demo_true(d, a && b))
		return;
	demo_true(d, a + SMALL <= b || b + SMALL <= a);
	demo_is(d, ((uintptr_t)a | (uintptr_t)b) % 16, 0);
	memset(a, 'a', SMALL);
	memset(b, 'b', SMALL);
	c = realloc(a, 10 * SMALL);
	demo_true(d, c && c != a && c[SMALL - 1] == 'a');
	demo_is(d, b[0], 'b');
	demo_is(d, calloc(1, SMALL), (uintptr_t)a);
	demo_true(d, !a[0] && !a[SMALL - 1]);
	large = malloc(LARGE);
	demo_is(d, access_error((uintptr_t)large + LARGE - 1, READ),
		ACCESS_DONE);
	free(large);
	demo_true(d, access_error((uintptr_t)large, READ) != ACCESS_DONE);
	demo_true(d, !malloc(UINT64_MAX));
	demo_note(d, "; malloc: %#lx used again when free, %lu KiB by mmap",
		  (uintptr_t)a, LARGE >> 10);
	free(a);
	free(b);
	free(c);
}

void demo_demand(struct demo *d)
{
	struct sys_counts start = demo_counts(), promised, given;
	volatile char *area = demo_map(d, DEMAND_PAGES * PAGE_SIZE, 0);
	uint64_t touches = DEMAND_PAGES / DEMAND_STRIDE;
	uint64_t tables;

	if (!area)
		return;
	promised = demo_counts();
	demo_is(d, promised.frames_anon, start.frames_anon);
	demo_is(d, promised.demand_zero, start.demand_zero);
	for (unsigned i = 0; i < DEMAND_PAGES; i += DEMAND_STRIDE)
		area[i * PAGE_SIZE] = 1;
	given = demo_counts();
	tables = given.frames_tables - promised.frames_tables;
	demo_is(d, given.demand_zero - promised.demand_zero, touches);
	demo_is(d, given.faults - promised.faults, touches);
	demo_is(d, given.frames_anon - promised.frames_anon, touches);
	for (unsigned i = 0; i < DEMAND_PAGES; i += DEMAND_STRIDE)
		demo_is(d, area[i * PAGE_SIZE], 1); /* no second fault */
	demo_is(d, demo_counts().demand_zero, given.demand_zero);
	demo_note(d,
		  "%u pages promised at %#lx: 0 frames; %lu touched: %lu "
		  "faults, %lu frames and %lu tables",
		  DEMAND_PAGES, (uintptr_t)area, touches, touches, touches,
		  tables);
	sys_munmap((uintptr_t)area, DEMAND_PAGES * PAGE_SIZE);
	demo_is(d, demo_counts().frames_anon, start.frames_anon);
	show_heap(d);
	show_malloc(d);
}

#define STACK_STEPS 16u

/* How far down the stack has grown. */
static uint64_t stack_start(void)
{
	struct area_info a = { 0 };

	area_info(0, STACK_TOP - 1, &a);
	return a.start;
}

void demo_stack(struct demo *d)
{
	uint64_t start = stack_start();
	uint64_t before = demo_counts().stack, grown;
	uint64_t lowest = STACK_TOP - STACK_MAX;

	for (unsigned i = 1; i <= STACK_STEPS; i++)
		*(volatile char *)(start - i * PAGE_SIZE) = 1;
	grown = demo_counts().stack - before;
	demo_is(d, grown, STACK_STEPS);
	demo_is(d, stack_start(), start - STACK_STEPS * PAGE_SIZE);

	demo_is(d, access_error(lowest, WRITE), ACCESS_DONE);
	demo_is(d, stack_start(), lowest);
	demo_is(d, access_error(lowest - 1, WRITE), FAULT_U | FAULT_W);
	demo_note(d,
		  "from %#lx down by %u pages: %lu stack faults; lowest byte "
		  "%#lx; the one below it is the guard: refused",
		  start, STACK_STEPS, grown, lowest);
}
