/* SPDX-License-Identifier: MIT */
/* balloon: memory that the guest lends the host. */
#include "guest/mm/frame.h"
#include "guest/lib/errno.h"
#include "guest/user/tour/demo.h"

demo_fn demo_balloon;

#define PAGES  128u /* that we have used, and need no longer */
#define SIZE   1024u /* of the balloon: what is free at hand, ours included */
#define LOCKED 512u /* more than others could be made to give up */
#define ROOM   16u
#define TICKS  100u

/* Pages of ours that the host has in memory, then not ours any more. */
static unsigned use_and_free(struct demo *d, uint64_t pa[PAGES])
{
	volatile char *area = demo_map(d, PAGES * PAGE_SIZE, 0);

	if (!area)
		return 0;
	for (unsigned i = 0; i < PAGES; i++) {
		area[i * PAGE_SIZE] = 1;
		pa[i] = demo_walk(area + i * PAGE_SIZE).pa;
	}
	sys_munmap((uintptr_t)area, PAGES * PAGE_SIZE);
	return PAGES;
}

/* How many of them the host has nothing in memory for. */
static unsigned absent(struct demo *d, const uint64_t pa[PAGES])
{
	unsigned n = 0;

	for (unsigned i = 0; i < PAGES; i++)
		n += demo_lab(d, LAB_STATE, pa[i]) == LAB_ABSENT;
	return n;
}

/* How many begin with @byte. */
static unsigned hold(struct demo *d, const uint64_t pa[PAGES], char byte)
{
	unsigned n = 0;
	char first;

	for (unsigned i = 0; i < PAGES; i++) {
		demo_is(d, sys_memory(pa[i], &first, 1), 0);
		n += first == byte;
	}
	return n;
}

/* No room, and what is wanted may not be swapped: frames leave the balloon. */
static uint64_t run_short(struct demo *d)
{
	void *area = demo_map(d, LOCKED * PAGE_SIZE, 0);
	struct sys_counts before = demo_counts();
	uint64_t taken;

	if (!area)
		return 0;
	sys_limit(used_frames(&before) + ROOM);
	demo_is(d, sys_mlock((uintptr_t)area, LOCKED * PAGE_SIZE), 0);
	sys_limit(0);
	taken = demo_counts().balloon_taken_back - before.balloon_taken_back;
	demo_is(d, demo_counts().oom_kills, before.oom_kills);
	sys_munmap((uintptr_t)area, LOCKED * PAGE_SIZE);
	return taken;
}

/* What the guest says of itself, and what the host has heard of it. */
static uint64_t compare_statistics(struct demo *d)
{
	struct lab_counters host;
	uint64_t free;

	for (unsigned i = 0; i < TICKS; i++) {
		struct sys_counts c = demo_counts();

		free = (all_frames() - used_frames(&c)) * PAGE_SIZE;
		host = demo_lab_counters(d);
		if (host.guest_free_bytes == free)
			break;
		demo_lab(d, LAB_BALLOON, c.balloon_frames); /* anew */
		sys_sleep(1);
	}
	demo_is(d, host.guest_free_bytes, free);
	demo_is(d, host.balloon_pages, demo_counts().balloon_frames);
	return host.guest_free_bytes;
}

void demo_balloon(struct demo *d)
{
	struct lab_counters before, full;
	uint64_t pa[PAGES], taken, reported, heard;
	unsigned gone, zeros;
	bool filled;

	if (!demo_has_lab(d) || !use_and_free(d, pa))
		return;
	if (sys_lab(LAB_BALLOON, 0, NULL) == -ENODEV) {
		demo_skip(d, "the guest has no balloon");
		return;
	}
	demo_is(d, absent(d, pa), 0);
	demo_true(d, hold(d, pa, 0) < PAGES / 2);
	/* With "debug", what comes back is filled before we can look at it. */
	filled = hold(d, pa, (char)POISON) >= PAGES / 2;
	before = demo_lab_counters(d);
	if (!demo_blow(d, SIZE))
		return;
	full = demo_lab_counters(d);
	demo_true(d, before.resident_bytes - full.resident_bytes >=
			     PAGES / 2 * PAGE_SIZE);
	gone = absent(d, pa);
	demo_true(d, gone >= PAGES / 2);
	heard = compare_statistics(d);
	if (!demo_blow(d, 0))
		return;
	zeros = hold(d, pa, 0);
	demo_true(d, zeros >= gone || filled);
	if (!demo_blow(d, SIZE))
		return;
	taken = run_short(d);
	demo_true(d, taken);
	if (!demo_blow(d, 0))
		return;
	reported = (uint64_t)sys_report();
	demo_true(d, reported);
	demo_note(
		d,
		"asked for %u pages, the guest gave them: %lu KiB less on "
		"the host, %u of %u pages just freed are gone there; by its "
		"statistics the host knows that %lu KiB are free; emptied, %u "
		"are zeros; full again and short of memory the guest took %lu "
		"back; emptied; %lu free pages reported",
		SIZE, (before.resident_bytes - full.resident_bytes) >> 10, gone,
		PAGES, heard >> 10, zeros, taken, reported);
}
