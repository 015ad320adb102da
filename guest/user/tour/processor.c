/* SPDX-License-Identifier: MIT */
/*
 * segments, tlb, asid, switch: what the processor keeps for itself, and what
 * happens to it when a process or a translation changes.
 */
#include "guest/cpu/cpu.h"
#include "guest/cpu/selector.h"
#include "guest/lib/string.h"
#include "guest/user/tour/demo.h"

demo_fn demo_segments, demo_tlb, demo_asid, demo_switch;

#define RING 3u

static uint16_t code_selector(void)
{
	uint16_t cs;

	__asm__("mov %%cs, %0" : "=r"(cs));
	return cs;
}

static uint64_t read_fs_0(void)
{
	uint64_t v;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(v));
	return v;
}

/* Thread-local storage: at an offset from FS, of which each process has one. */
static _Thread_local volatile uint64_t local = 'p';

/* The four addresses of one variable. */
static void show_addresses(struct demo *d)
{
	const struct lab_walk *w;
	uint64_t linear = (uintptr_t)&local, base = read_fs_0();

	demo_note(d, "fs:%ld -> linear %#lx -> guest-physical %#lx",
		  (int64_t)(linear - base), linear, demo_walk(&local).pa);
	if (!demo_info().lab)
		return;
	w = demo_lab_walk(d, linear);
	demo_is(d, w->found, 1);
	demo_is(d, w->gpa, demo_walk(&local).pa);
	demo_note(d, " -> host %#lx",
		  (w->ref[w->refs - 1].entry & PTE_FRAME) + linear % PAGE_SIZE);
}

/* Another process, another FS base, at the same time on the same CPU. */
static void other_base(struct demo *d, void *what)
{
	static uint64_t storage[4] __attribute__((aligned(16)));
	uint64_t *self = &storage[3];

	(void)what;
	sys_cpu(0);
	demo_is(d, local, 'p'); /* fork has copied it with all else */
	*self = (uintptr_t)self;
	demo_is(d, sys_set_fs((uintptr_t)self), 0);
	local = 'c';
	for (unsigned i = 0; i < 5; i++) {
		demo_is(d, read_fs_0(), (uintptr_t)self);
		demo_is(d, local, 'c');
		sys_sleep(1);
	}
}

void demo_segments(struct demo *d)
{
	struct sys_probe p = { 0 };
	uint64_t base = read_fs_0();
	int64_t pid;

	demo_is(d, sys_probe(&p), 0);
	/* Without stage 2 in hardware, ring 3 may run in a selector of the
	 * host's: only its ring is certain. */
	demo_is(d, code_selector() & RING, 3);
	demo_is(d, p.cs, KERNEL_CS);
	demo_is(d, p.cs & RING, 0);
	demo_is(d, p.tr & RING, 0);
	demo_true(d, p.tr);
	demo_true(d, p.tss >> 47 && p.rsp0 >> 47);
	demo_is(d, p.fs_base, base);
	demo_note(d,
		  "ring 3 runs in %#x, ring 0 in %#lx; TSS %#lx at %#lx, "
		  "stack for ring 0 %#lx; ",
		  code_selector(), p.cs, p.tr, p.tss, p.rsp0);
	show_addresses(d);
	sys_cpu(0);
	pid = demo_child(d, other_base, NULL);
	for (unsigned i = 0; i < 5 && pid > 0; i++) {
		demo_is(d, read_fs_0(), base);
		demo_is(d, local, 'p');
		sys_sleep(1);
	}
	demo_join(d, pid);
	demo_note(d, "; another process's FS base: each kept its own");
}

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

/* The page is changed, and nothing is flushed until invlpg. */
static const struct probe_step stale[] = {
	STEP(PROBE_READ),  STEP(PROBE_MAP, .page = 1), STEP(PROBE_READ),
	STEP(PROBE_FLUSH), STEP(PROBE_READ),
};

/* It is changed, and CR3 loaded; then the same with a global page. */
static const struct probe_step plain[] = {
	STEP(PROBE_READ),
	STEP(PROBE_MAP, .page = 1),
	STEP(PROBE_LOAD),
	STEP(PROBE_READ),
};
static const struct probe_step global[] = {
	STEP(PROBE_MAP, .global = 1),
	STEP(PROBE_FLUSH),
	STEP(PROBE_READ),
	STEP(PROBE_MAP, .global = 1, .page = 1),
	STEP(PROBE_LOAD),
	STEP(PROBE_READ),
	STEP(PROBE_FLUSH),
	STEP(PROBE_READ),
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

/*
 * What is stale may be seen, for a processor may forget a translation at any
 * time; that it is gone afterwards is certain.
 */
void demo_tlb(struct demo *d)
{
	uint32_t seen[4] = { 0 };

	probe(d, stale, sizeof(stale), seen);
	demo_is(d, seen[0], 0);
	demo_true(d, seen[1] <= 1);
	demo_is(d, seen[2], 1);
	demo_note(d, "the entry changed: read page %u, %s; after invlpg %u",
		  seen[1], seen[1] ? "not stale" : "stale", seen[2]);

	probe(d, plain, sizeof(plain), seen);
	demo_is(d, seen[1], 1);
	demo_note(d, "; CR3 loaded: without G page %u", seen[1]);
	probe(d, global, sizeof(global), seen);
	demo_true(d, seen[1] <= 1);
	demo_is(d, seen[2], 1);
	demo_note(d, ", with G %u", seen[1]);

	if (demo_info().tagged) {
		probe(d, tagged, sizeof(tagged), seen);
		demo_is(d, seen[0], 0);
		demo_is(d, seen[1], 1);
		demo_is(d, seen[2], 0);
		demo_note(d, "; PCID: pages %u, %u, %u at one address", seen[0],
			  seen[1], seen[2]);
	} else {
		demo_note(d, "; no PCID here");
	}
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
	for (unsigned i = 0; i < JUNK; i++)
		junk[i * (PAGE_SIZE / 8)] = ~SECRET;
	demo_step(d, 2);
	demo_await(d, 3);
	to = demo_walk_of(pid, word).pa;
	demo_step(d, 4);
	demo_join(d, pid);
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

#define RACERS	   2u
#define RACE_TURNS 2u /* of each, and then it is over */
#define RACE_TICKS 200u /* at most: without pre-emption it never is */

struct race {
	volatile uint64_t *own; /* of each process, at one address */
	volatile uint64_t *laps; /* shared: of each */
	volatile uint64_t
		*turns; /* shared: how often it saw that of the other */
	unsigned number;
};

static bool race_over(const struct race *r)
{
	return r->turns[0] >= RACE_TURNS && r->turns[1] >= RACE_TURNS;
}

/* Never sleep: whoever runs, the timer has let him. */
static void compete(struct demo *d, void *what)
{
	struct race *r = what;
	unsigned me = r->number, other = RACERS - 1 - me;
	uint64_t wrong = 0, seen = 0, end;

	sys_cpu(0);
	*r->own = me;
	end = (uint64_t)sys_ticks() + RACE_TICKS;
	while (!race_over(r) && (uint64_t)sys_ticks() < end) {
		for (unsigned i = 0; i < 1000; i++) {
			wrong += *r->own != me;
			r->laps[me]++;
		}
		r->turns[me] += r->laps[other] != seen;
		seen = r->laps[other];
	}
	demo_is(d, wrong, 0);
}

/* Never sleep, until somebody says so. */
static void run_meanwhile(struct demo *d, void *laps)
{
	sys_cpu(0);
	demo_step(d, 1);
	while (__atomic_load_n(&d->step, __ATOMIC_ACQUIRE) < 2)
		++*(volatile uint64_t *)laps;
}

#define FILE_PAGES 8u

/* Who waits for the disk sleeps: the processor is another's. */
static void wait_for_disk(struct demo *d, volatile uint64_t *laps)
{
	static char page[PAGE_SIZE];
	int64_t fd = sys_open("/bin/stress", OPEN_READ), pid;
	uint64_t reads, before;

	demo_true(d, fd >= 0);
	*laps = 0;
	pid = demo_child(d, run_meanwhile, (void *)laps);
	demo_await(d, 1);
	sys_cpu(0);
	sys_drop_caches();
	reads = demo_counts().disk_reads;
	before = *laps;
	for (unsigned i = 0; i < FILE_PAGES; i++)
		sys_read((int)fd, page, PAGE_SIZE);
	reads = demo_counts().disk_reads - reads;
	demo_step(d, 2);
	demo_join(d, pid);
	sys_close((int)fd);
	if (!reads)
		return; /* no disk: the programs lie in the kernel's image */
	demo_true(d, *laps > before);
	demo_note(d, "; %lu blocks read from the disk, meanwhile %lu laps",
		  reads, *laps - before);
}

void demo_switch(struct demo *d)
{
	struct race r = { .own = demo_map(d, PAGE_SIZE, 0),
			  .laps = demo_map(d, PAGE_SIZE, MAP_SHARED) };
	uint64_t switches = demo_counts().switches, root[RACERS];
	int64_t pid[RACERS];

	if (!r.own || !r.laps)
		return;
	r.turns = r.laps + RACERS;
	for (r.number = 0; r.number < RACERS; r.number++) {
		pid[r.number] = demo_child(d, compete, &r);
		if (pid[r.number] < 0)
			return;
		root[r.number] =
			demo_walk_of(pid[r.number], (void *)r.own).entry_pa[0] &
			~0xffful;
	}
	for (unsigned i = 0; i < RACERS; i++)
		demo_join(d, pid[i]);
	switches = demo_counts().switches - switches;
	demo_true(d, r.laps[0] && r.laps[1]);
	demo_true(d, race_over(&r));
	demo_true(d, root[0] != root[1]);
	demo_note(
		d,
		"processes %ld and %ld (tables at %#lx, %#lx) on one CPU for "
		"%lu turns: %lu and %lu laps, %lu switches, each read its own "
		"value at %#lx",
		pid[0], pid[1], root[0], root[1], r.turns[0] + r.turns[1],
		r.laps[0], r.laps[1], switches, (uintptr_t)r.own);
	if (!d->failure[0])
		wait_for_disk(d, r.laps);
	sys_munmap((uintptr_t)r.own, PAGE_SIZE);
	sys_munmap((uintptr_t)r.laps, PAGE_SIZE);
}
