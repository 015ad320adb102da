/* SPDX-License-Identifier: MIT */
/* rmap, lru, swap: which page leaves, how it is found, where it goes. */
#include "guest/lib/errno.h"
#include "guest/user/lib/random.h"
#include "guest/user/tour/demo.h"

demo_fn demo_rmap, demo_lru, demo_swap;

#define SHARERS 2u /* beside us */

static volatile uint64_t *page_of(volatile void *area, unsigned i)
{
	return (volatile uint64_t *)((volatile char *)area + i * PAGE_SIZE);
}

/* Map the page, wait until it has been taken away, and look at it again. */
static void use_page(struct demo *d, void *what)
{
	volatile uint64_t *word = what;
	uint64_t want = *word;

	__atomic_fetch_add(&d->step, 1, __ATOMIC_RELEASE);
	demo_await(d, SHARERS + 1);
	demo_is(d, *word, want);
}

/* Evict a page that three processes map: one frame, three entries. */
static void evict_shared(struct demo *d, volatile uint64_t *word,
			 const char *what)
{
	uint64_t want = *word, pa = demo_walk(word).pa;
	struct sys_counts before, after;
	int64_t pid[SHARERS];
	struct frame f;

	demo_step(d, 0);
	for (unsigned i = 0; i < SHARERS; i++) {
		pid[i] = demo_child(d, use_page, (void *)word);
		if (pid[i] < 0)
			return;
	}
	demo_await(d, SHARERS);
	demo_is(d, *word, want);
	kernel_frame(pa, &f);
	demo_is(d, f.maps, SHARERS + 1);
	before = demo_counts();
	demo_is(d, demo_page_out(d, word, 1), 0);
	after = demo_counts();
	for (unsigned i = 0; i < SHARERS; i++)
		demo_is(d, demo_walk_of(pid[i], word).found, 0);
	demo_is(d, after.unmapped_ptes - before.unmapped_ptes, SHARERS + 1);
	demo_is(d,
		after.evicted_anon + after.evicted_file - before.evicted_anon -
			before.evicted_file,
		1);
	demo_step(d, SHARERS + 1);
	for (unsigned i = 0; i < SHARERS; i++)
		demo_join(d, pid[i]);
	demo_is(d, *word, want);
	demo_note(d,
		  "%s%s frame %#lx, mapped by %u processes: 1 eviction, %lu "
		  "entries cleared",
		  d->seen_bytes ? "; " : "", what, pa, SHARERS + 1,
		  after.unmapped_ptes - before.unmapped_ptes);
}

void demo_rmap(struct demo *d)
{
	volatile uint64_t *anon = demo_map(d, PAGE_SIZE, 0);
	int64_t fd, file;

	if (!anon || !demo_has_swap(d))
		return;
	*anon = 0x1234567;
	evict_shared(d, anon, "anonymous");
	fd = sys_open("/bin/hello", OPEN_READ);
	if (!demo_can(d, fd, "files"))
		return;
	file = sys_mmap_file((int)fd, 0, PAGE_SIZE, PROT_READ, MAP_SHARED);
	sys_close((int)fd);
	if (!demo_true(d, file > 0))
		return;
	evict_shared(d, (volatile uint64_t *)file, "file's");
	sys_munmap((uint64_t)file, PAGE_SIZE);
	sys_munmap((uintptr_t)anon, PAGE_SIZE);
}

#define HOT    8u
#define COLD   24u
#define ENOUGH 12u /* cold pages gone */
#define ROUNDS 200u

static unsigned present(volatile void *area, unsigned from, unsigned to)
{
	unsigned n = 0;

	for (unsigned i = from; i < to; i++)
		n += demo_walk(page_of(area, i)).found != 0;
	return n;
}

/* Use the hot pages, and let something leave: again and again. */
static unsigned squeeze(struct demo *d, volatile void *area)
{
	unsigned round = 0, hot_lost = 0;

	while (round++ < ROUNDS &&
	       present(area, HOT, HOT + COLD) > COLD - ENOUGH) {
		for (unsigned i = 0; i < HOT; i++)
			(void)*page_of(area, i);
		sys_reclaim(4);
		hot_lost += HOT - present(area, 0, HOT);
	}
	demo_is(d, hot_lost, 0);
	return round;
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
	unsigned rounds, gone;

	if (!area || !demo_has_swap(d))
		return;
	for (unsigned i = 0; i <= HOT + COLD; i++)
		*page_of(area, i) = mix(i);
	if (!demo_can(d, sys_mlock((uintptr_t)locked, PAGE_SIZE), "mlock"))
		return;
	before = demo_counts();
	rounds = squeeze(d, area);
	after = demo_counts();
	gone = COLD - present(area, HOT, HOT + COLD);
	demo_true(d, gone >= ENOUGH);
	demo_true(d, demo_walk(locked).found);
	demo_true(d, after.evicted_anon - before.evicted_anon >= gone);
	for (unsigned i = 0; i <= HOT + COLD; i++)
		demo_is(d, *page_of(area, i), mix(i));
	demo_note(d,
		  "%u pages used all the time, %u only once; after %u rounds "
		  "all of the first and %u of the others are there, the locked "
		  "one too; %lu swapped, %lu of files dropped; anonymous %lu "
		  "active, %lu inactive",
		  HOT, COLD, rounds, COLD - gone,
		  after.evicted_anon - before.evicted_anon,
		  after.evicted_file - before.evicted_file,
		  after.lru[LRU_ANON][true].count,
		  after.lru[LRU_ANON][false].count);
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
