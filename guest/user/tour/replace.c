/* SPDX-License-Identifier: MIT */
/* lru, swap: which page leaves, and where it goes. */
#include "guest/user/lib/random.h"
#include "guest/user/tour/demo.h"

demo_fn demo_lru, demo_swap;

static volatile uint64_t *page_of(volatile void *area, unsigned i)
{
	return (volatile uint64_t *)((volatile char *)area + i * PAGE_SIZE);
}

#define HOT    8u
#define COLD   24u
#define ENOUGH 12u /* cold pages gone */
#define ROUNDS 200u

/* A file's pages that are mapped: read, and from CLEAN on written. */
#define SHOWN "/demo-lru"
#define FILED 4u
#define CLEAN 2u

static unsigned present(volatile void *area, unsigned from, unsigned to)
{
	unsigned n = 0;

	for (unsigned i = from; i < to; i++)
		n += demo_walk(page_of(area, i)).found != 0;
	return n;
}

/* Use the hot pages, and let something leave: again and again. */
static unsigned squeeze(struct demo *d, volatile void *area,
			volatile void *file)
{
	unsigned round = 0, hot_lost = 0;

	while (round++ < ROUNDS &&
	       (present(area, HOT, HOT + COLD) > COLD - ENOUGH ||
		(file && present(file, 0, FILED)))) {
		for (unsigned i = 0; i < HOT; i++)
			(void)*page_of(area, i);
		sys_reclaim(4);
		hot_lost += HOT - present(area, 0, HOT);
	}
	demo_is(d, hot_lost, 0);
	return round;
}

/* The mapped pages of a file of ours, in no cache before; NULL: no disk. */
static volatile void *show_file(struct demo *d)
{
	int64_t fd = demo_file(d, SHOWN, FILED), at;

	if (fd < 0)
		return NULL;
	at = sys_mmap_file((int)fd, 0, FILED * PAGE_SIZE,
			   PROT_READ | PROT_WRITE, MAP_SHARED);
	sys_close((int)fd);
	if (!demo_true(d, at > 0))
		return NULL;
	for (unsigned i = 0; i < FILED; i++) {
		demo_is(d, *(char *)page_of((void *)at, i), 'A' + i);
		if (i >= CLEAN)
			*page_of((void *)at, i) = i;
	}
	demo_is(d, sys_madvise((uint64_t)at, FILED * PAGE_SIZE, MADVISE_COLD),
		0);
	return (volatile void *)at;
}

/* All have left; what was written to was stored first. */
static void check_file(struct demo *d, volatile void *file,
		       const struct sys_counts *before,
		       const struct sys_counts *after)
{
	uint64_t reads = demo_counts().disk_reads;

	demo_is(d, present(file, 0, FILED), 0);
	demo_true(d, after->evicted_file - before->evicted_file >= FILED);
	for (unsigned i = 0; i < CLEAN; i++)
		demo_is(d, *(char *)page_of(file, i), 'A' + i);
	for (unsigned i = CLEAN; i < FILED; i++)
		demo_is(d, *page_of(file, i), i);
	demo_is(d, demo_counts().disk_reads - reads, FILED);
	demo_note(d, "; of a file %u clean pages dropped, %u dirty ones stored",
		  CLEAN, FILED - CLEAN);
	sys_munmap((uintptr_t)file, FILED * PAGE_SIZE);
	demo_is(d, sys_unlink(SHOWN), 0);
	demo_is(d, sys_sync(), 0);
}

/*
 * Pages in use stay, pages once used leave. A page of a file that is clean is
 * dropped, one that is locked stays whatever happens.
 */
void demo_lru(struct demo *d)
{
	volatile void *area = demo_map(d, (HOT + COLD + 1) * PAGE_SIZE, 0);
	volatile uint64_t *locked = page_of(area, HOT + COLD);
	struct sys_counts before, after;
	unsigned rounds, gone, active = 0;
	volatile void *file;
	struct frame f;

	if (!area || !demo_has_swap(d))
		return;
	file = show_file(d);
	for (unsigned i = 0; i <= HOT + COLD; i++)
		*page_of(area, i) = mix(i);
	if (!demo_can(d, sys_mlock((uintptr_t)locked, PAGE_SIZE), "mlock"))
		return;
	before = demo_counts();
	rounds = squeeze(d, area, file);
	after = demo_counts();
	for (unsigned i = 0; i < HOT; i++) {
		kernel_frame(demo_walk(page_of(area, i)).pa, &f);
		active += f.flags & FRAME_ACTIVE ? 1 : 0;
	}
	gone = COLD - present(area, HOT, HOT + COLD);
	demo_true(d, gone >= ENOUGH);
	demo_true(d,
		  active >= HOT / 2); /* the others will be, when looked at */
	demo_true(d, demo_walk(locked).found);
	demo_true(d, after.evicted_anon - before.evicted_anon >= gone);
	for (unsigned i = 0; i <= HOT + COLD; i++)
		demo_is(d, *page_of(area, i), mix(i));
	demo_note(d,
		  "%u pages used all the time, %u only once; after %u rounds "
		  "all of the first (%u active) and %u of the others are "
		  "there, the locked one too; %lu swapped; anonymous %lu "
		  "active, %lu inactive",
		  HOT, COLD, rounds, active, COLD - gone,
		  after.evicted_anon - before.evicted_anon,
		  after.lru[LRU_ANON][true].count,
		  after.lru[LRU_ANON][false].count);
	if (file)
		check_file(d, file, &before, &after);
	sys_munlock((uintptr_t)locked, PAGE_SIZE);
	sys_munmap((uintptr_t)area, (HOT + COLD + 1) * PAGE_SIZE);
}

#define SWAP_PAGES  64u
#define SWAP_FRAMES 32u /* more than are in use, for all that */
#define SWAP_LEAST  24u /* pages: others may have left some frames, too */
#define PASSES	    2u

static void write_pages(volatile void *area, uint64_t pass)
{
	for (unsigned i = 0; i < SWAP_PAGES; i++)
		for (unsigned word = 0; word < PAGE_SIZE / 8; word++)
			page_of(area, i)[word] = mix(pass << 32 | i) + word;
}

static uint64_t wrong_words(volatile void *area, uint64_t pass)
{
	uint64_t wrong = 0;

	for (unsigned i = 0; i < SWAP_PAGES; i++)
		for (unsigned word = 0; word < PAGE_SIZE / 8; word++)
			wrong += page_of(area, i)[word] !=
				 mix(pass << 32 | i) + word;
	return wrong;
}

/* A not-present entry is not wasted: it says where the page is. */
static void find_swapped(struct demo *d, volatile void *area)
{
	for (unsigned i = 0; i < SWAP_PAGES; i++) {
		uint64_t entry = demo_leaf(page_of(area, i));

		if (entry & PTE_P)
			continue;
		demo_true(d, entry != 0);
		demo_note(d, "; the entry of %#lx is %#lx",
			  (uintptr_t)page_of(area, i), entry);
		return;
	}
	demo_true(d, false); /* all there? */
}

/* All that it had there is free: no slot is anybody else's. */
static void check_slots_end(struct demo *d, volatile void *area)
{
	uint64_t before;

	demo_is(d, demo_page_out(d, area, SWAP_PAGES), 0);
	before = demo_counts().slots_used;
	sys_munmap((uintptr_t)area, SWAP_PAGES * PAGE_SIZE);
	demo_is(d, before - demo_counts().slots_used, SWAP_PAGES);
	demo_note(d, "; unmapped: all slots free");
}

void demo_swap(struct demo *d)
{
	struct sys_counts before, after;
	volatile void *area;
	uint64_t limit;

	if (!demo_has_swap(d))
		return;
	lock_memory();
	area = demo_map(d, SWAP_PAGES * PAGE_SIZE, 0);
	before = settled_counts();
	limit = used_frames(&before) + SWAP_FRAMES;
	if (!area || !demo_can(d, sys_limit(limit), "limits"))
		return;
	for (uint64_t pass = 0; pass < PASSES; pass++) {
		write_pages(area, pass);
		demo_is(d, wrong_words(area, pass), 0);
	}
	after = demo_counts();
	demo_true(d, used_frames(&after) <= limit);
	sys_limit(0);
	demo_true(d, after.slots_used - before.slots_used >= SWAP_LEAST);
	demo_true(d,
		  after.swapped_in - before.swapped_in >= PASSES * SWAP_LEAST);
	demo_note(d,
		  "%u pages in %u frames, %u passes: %lu written to the swap "
		  "disk, %lu read back, every byte right, %lu slots in use",
		  SWAP_PAGES, SWAP_FRAMES, PASSES,
		  after.swap_writes - before.swap_writes,
		  after.swap_reads - before.swap_reads,
		  after.slots_used - before.slots_used);
	find_swapped(d, area);
	check_slots_end(d, area);
}
