/* SPDX-License-Identifier: MIT */
/*
 * tlb, asid: translations that the processor remembers, and what has to be
 * done when a table says something else.
 */
#include "guest/cpu/cpu.h"
#include "guest/lib/string.h"
#include "guest/user/tour/demo.h"

demo_fn demo_tlb, demo_asid;

#define FEW_PAGES  16u
#define MANY_PAGES 2048u
#define LINE	   64u

/* MANY_PAGES cache lines, spread over @pages: ticks for each. */
static uint64_t cost_of_loop(volatile char *area, unsigned pages)
{
	uint64_t start;

	for (unsigned round = 0; round < 2; round++) {
		start = rdtsc();
		for (unsigned i = 0; i < MANY_PAGES; i++)
			(void)area[i % pages * PAGE_SIZE +
				   i / FEW_PAGES % LINE * LINE];
	}
	return (rdtsc() - start) * 10 / MANY_PAGES;
}

static void show_cost(struct demo *d)
{
	volatile char *area = demo_map(d, MANY_PAGES * PAGE_SIZE, MAP_POPULATE);
	uint64_t few, many;

	if (!area)
		return;
	few = cost_of_loop(area, FEW_PAGES);
	many = cost_of_loop(area, MANY_PAGES);
	demo_note(d,
		  "; %u reads of %u pages: %lu.%lu ticks each, of %u pages: "
		  "%lu.%lu",
		  MANY_PAGES, FEW_PAGES, few / 10, few % 10, MANY_PAGES,
		  many / 10, many % 10);
	sys_munmap((uintptr_t)area, MANY_PAGES * PAGE_SIZE);
}

#define STEP(...)                    \
	{                            \
		.what = __VA_ARGS__, \
	}

/* The page becomes another, and nothing is flushed until invlpg. */
#define CHANGE(n)                                                          \
	STEP(PROBE_MAP, .page = (n)), STEP(PROBE_READ), STEP(PROBE_FLUSH), \
		STEP(PROBE_READ)

static const struct probe_step stale[] = {
	STEP(PROBE_READ), CHANGE(1), CHANGE(0), CHANGE(1), CHANGE(0),
};

/* It becomes another, and CR3 is loaded. */
#define RELOAD(n) \
	STEP(PROBE_MAP, .page = (n)), STEP(PROBE_LOAD), STEP(PROBE_READ)

static const struct probe_step plain[] = {
	STEP(PROBE_READ), RELOAD(1), RELOAD(0), RELOAD(1), RELOAD(0),
};

/* The same with a global page, and invlpg at last. */
#define OUTLIVE(n)                                                     \
	STEP(PROBE_MAP, .bits = PTE_G, .page = (n)), STEP(PROBE_LOAD), \
		STEP(PROBE_READ), STEP(PROBE_FLUSH), STEP(PROBE_READ)

static const struct probe_step global[] = {
	STEP(PROBE_MAP, .bits = PTE_G),
	STEP(PROBE_FLUSH),
	STEP(PROBE_READ),
	OUTLIVE(1),
	OUTLIVE(0),
	OUTLIVE(1),
};

/* From one space to another, and back with nothing flushed. */
static const struct probe_step tagged[] = {
	STEP(PROBE_MAP, .tables = 1, .page = 1),
	STEP(PROBE_LOAD),
	STEP(PROBE_READ),
	STEP(PROBE_LOAD, .tables = 1),
	STEP(PROBE_READ),
	STEP(PROBE_LOAD, .keep = 1),
	STEP(PROBE_READ),
};

/* What was read in these steps, in *seen. */
static void probe(struct demo *d, const struct probe_step *step, size_t bytes,
		  uint32_t *seen)
{
	struct sys_probe p = { 0 };

	memcpy(p.step, step, bytes);
	demo_is(d, sys_probe(&p), 0);
	for (unsigned i = 0; i < PROBE_STEPS; i++)
		if (p.step[i].what == PROBE_READ)
			*seen++ = p.step[i].page;
}

/* How often each is tried: a processor may be interrupted, and forget. */
#define TRIES 4u

/*
 * Steps after which the page must be 1, 0, 1, ... by turns, from the third
 * value read on every second one. How many of those between were not yet so.
 */
static unsigned count_stale(struct demo *d, const struct probe_step *step,
			    size_t bytes, unsigned turns)
{
	uint32_t seen[PROBE_STEPS] = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < TRIES; i++) {
		probe(d, step, bytes, seen);
		demo_is(d, seen[0], 0);
		for (unsigned turn = 0; turn < turns; turn++) {
			uint32_t now = !(turn & 1);

			n += seen[1 + 2 * turn] == !now;
			demo_true(d, seen[1 + 2 * turn] <= 1);
			demo_is(d, seen[2 + 2 * turn], now);
		}
	}
	return n;
}

static void show_tags(struct demo *d)
{
	uint32_t seen[PROBE_STEPS] = { 0 };

	if (!demo_info().tagged) {
		demo_note(d, "; no PCID here");
		return;
	}
	probe(d, tagged, sizeof(tagged), seen);
	demo_is(d, seen[0], 0);
	demo_is(d, seen[1], 1);
	demo_is(d, seen[2], 0);
	demo_note(d, "; PCID: pages %u, %u, %u at one address", seen[0],
		  seen[1], seen[2]);
}

/*
 * What is stale may be seen, for a processor may forget a translation at any
 * time, and one whose ring 0 is emulated remembers none; that it is gone
 * afterwards is certain.
 */
void demo_tlb(struct demo *d)
{
	uint32_t seen[PROBE_STEPS] = { 0 };

	demo_note(d, "the entry changed %u times: %u reads were stale",
		  TRIES * 4, count_stale(d, stale, sizeof(stale), 4));
	demo_note(d, ", none after invlpg");
	probe(d, plain, sizeof(plain), seen);
	for (unsigned i = 0; i < 5; i++)
		demo_is(d, seen[i], i & 1);
	demo_note(d, "; CR3 loaded: none without G, and with G %u of %u",
		  count_stale(d, global, sizeof(global), 3), TRIES * 3);
	show_tags(d);
	show_cost(d);
}

#define SECRET 0x5ec2e7ul
#define JUNK   16u

/* Read the page, keep busy while it is taken away, and read it again. */
static void keep_translation(struct demo *d, void *what)
{
	volatile uint64_t *word = what;

	sys_cpu((int64_t)demo_info().cpus - 1);
	*word = SECRET;
	demo_step(d, 1);
	while (__atomic_load_n(&d->step, __ATOMIC_ACQUIRE) < 2)
		__builtin_ia32_pause();
	demo_is(d, *word, SECRET);
	demo_step(d, 3);
	demo_await(d, 4);
}

/*
 * The child's translation of a page is in its processor's TLB when we have the
 * page evicted; its frame is soon used for something else. What it reads then
 * must be its page, wherever that is now.
 */
void demo_asid(struct demo *d)
{
	volatile uint64_t *word = demo_map(d, PAGE_SIZE, MAP_SHARED);
	uint64_t *junk = demo_map(d, JUNK * PAGE_SIZE, 0);
	uint64_t from, to, shootdowns;
	bool reused = false;
	int64_t pid;

	if (!word || !junk || !demo_has_swap(d))
		return;
	sys_cpu(0);
	*word = 0;
	pid = demo_child(d, keep_translation, (void *)word);
	if (pid < 0)
		return;
	demo_await(d, 1);
	from = demo_walk_of(pid, word).pa;
	shootdowns = demo_counts().shootdowns;
	demo_is(d, demo_page_out(d, word, 1), 0);
	demo_is(d, demo_walk_of(pid, word).found, 0);
	shootdowns = demo_counts().shootdowns - shootdowns;
	for (unsigned i = 0; i < JUNK; i++) {
		junk[i * (PAGE_SIZE / 8)] = ~SECRET;
		reused |= demo_walk(junk + i * (PAGE_SIZE / 8)).pa == from;
	}
	demo_true(d, reused);
	demo_step(d, 2);
	demo_await(d, 3);
	to = demo_walk_of(pid, word).pa;
	demo_step(d, 4);
	demo_join(d, pid);
	demo_true(d, to != from);
	if (demo_info().cpus > 1)
		demo_true(d, shootdowns);
	demo_note(d,
		  "%#lx of process %ld on CPU %u taken from frame %#lx, which "
		  "others used: %lu shoot-downs; its next read went to %#lx",
		  (uintptr_t)word, pid, demo_info().cpus - 1, from, shootdowns,
		  to);
	sys_munmap((uintptr_t)word, PAGE_SIZE);
	sys_munmap((uintptr_t)junk, JUNK * PAGE_SIZE);
}
