/* SPDX-License-Identifier: MIT */
/* switch: processes take turns; who waits for the disk lets others run. */
#include "guest/user/tour/demo.h"

demo_fn demo_switch;

#define RACERS	   2u
#define RACE_TURNS 2u /* of each, and then it is over */
#define RACE_TICKS 200u /* at most: without pre-emption it never is */

struct race {
	volatile uint64_t *own; /* of each process, at one address */
	volatile uint64_t *laps; /* shared: of each */
	volatile uint64_t
		*turns; /* shared: how often it saw that of the other */
	volatile uint64_t *go; /* shared: 1 when all are there */
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
	while (!*r->go)
		;
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
	r.go = r.turns + RACERS;
	for (r.number = 0; r.number < RACERS; r.number++) {
		pid[r.number] = demo_child(d, compete, &r);
		if (pid[r.number] < 0)
			return;
		root[r.number] =
			demo_walk_of(pid[r.number], (void *)r.own).entry_pa[0] &
			~0xffful;
	}
	*r.go = 1;
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
