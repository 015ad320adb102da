/* SPDX-License-Identifier: MIT */
/*
 * double-paging, pressure: the guest's own replacement and the
 * hypervisor's, at once.
 */
#include "guest/cpu/cpu.h"
#include "guest/lib/errno.h"
#include "guest/user/lib/random.h"
#include "guest/user/tour/demo.h"

demo_fn demo_double_paging, demo_pressure;

static volatile uint64_t *page_of(volatile void *area, unsigned i)
{
	return (volatile uint64_t *)((volatile char *)area + i * PAGE_SIZE);
}

#define TWICE_PAGES 16u
#define REHEARSALS  5u

/* What both swaps do while our pages leave the guest. */
struct traffic {
	uint64_t host_in, host_out, guest_writes;
};

static struct traffic traffic(struct demo *d)
{
	struct lab_counters host = demo_lab_counters(d);

	return (struct traffic){ host.swapped_in, host.swapped_out,
				 demo_counts().swap_writes };
}

static struct traffic change(struct traffic before, struct traffic after)
{
	return (struct traffic){ after.host_in - before.host_in,
				 after.host_out - before.host_out,
				 after.guest_writes - before.guest_writes };
}

static struct traffic page_out_all(struct demo *d, volatile void *area)
{
	struct traffic before = traffic(d), after;

	demo_is(d, demo_page_out(d, area, TWICE_PAGES), 0);
	after = traffic(d);
	demo_is(d, after.guest_writes - before.guest_writes, TWICE_PAGES);
	return change(before, after);
}

static void write_all_pages(volatile void *area)
{
	for (unsigned i = 0; i < TWICE_PAGES; i++)
		for (unsigned word = 0; word < PAGE_SIZE / 8; word++)
			page_of(area, i)[word] = mix(i) + word;
}

#define CURE 1024u /* pages of balloon: what is free at hand, ours included */

/*
 * The host wants memory, and asks for it instead of taking it: our pages leave
 * as the guest chooses, and their frames go into the balloon. What both swaps
 * did; *gone: how many of the frames the host keeps nothing of.
 */
static struct traffic page_out_by_balloon(struct demo *d, volatile void *area,
					  unsigned *gone)
{
	struct traffic before, after;
	uint64_t pa[TWICE_PAGES];

	write_all_pages(area);
	for (unsigned i = 0; i < TWICE_PAGES; i++)
		pa[i] = demo_walk(page_of(area, i)).pa;
	before = traffic(d);
	page_out_all(d, area);
	demo_blow(d, CURE);
	*gone = 0;
	for (unsigned i = 0; i < TWICE_PAGES; i++)
		*gone += demo_lab(d, LAB_STATE, pa[i]) == LAB_ABSENT;
	demo_blow(d, 0);
	for (unsigned i = 0; i < TWICE_PAGES; i++)
		demo_is(d, *page_of(area, i), mix(i));
	after = traffic(d);
	return change(before, after);
}

/* Tried again for the same reason as below. */
static void show_cure(struct demo *d, volatile void *area)
{
	unsigned rehearsals = REHEARSALS, gone;
	struct traffic t;

	if (sys_lab(LAB_BALLOON, 0, NULL) == -ENODEV) {
		demo_note(d, "; no balloon");
		return;
	}
	do {
		t = page_out_by_balloon(d, area, &gone);
	} while ((t.host_in || t.host_out) && rehearsals--);
	demo_is(d, t.host_out, 0);
	demo_is(d, t.host_in, 0);
	demo_true(d, gone >= TWICE_PAGES / 2); /* others took some frames */
	demo_note(
		d,
		"; asked by the balloon: %u of their frames are gone from the "
		"host, which read and wrote 0",
		gone);
}

/*
 * The hypervisor has swapped the pages out; then the guest, which cannot know,
 * swaps them out too: each is read from the one disk only to be written to the
 * other. Where the guest chooses first, nothing is read: but for what of the
 * kernel's the hypervisor has taken before (demo_overcommit), which one of its
 * threads may want just now; then it is tried again.
 */
void demo_double_paging(struct demo *d)
{
	volatile void *area = demo_map(d, TWICE_PAGES * PAGE_SIZE, 0);
	unsigned rehearsals = REHEARSALS;
	struct traffic twice, once;

	if (!area || !demo_has_lab(d) || !demo_has_swap(d) ||
	    !demo_has_host_swap(d, page_of(area, 0)))
		return;
	do {
		write_all_pages(area);
		once = page_out_all(d, area);
	} while (once.host_in && rehearsals--);
	demo_is(d, once.host_in, 0);
	write_all_pages(area);
	for (unsigned i = 0; i < TWICE_PAGES; i++)
		demo_is(d,
			demo_lab(d, LAB_EVICT, demo_walk(page_of(area, i)).pa),
			LAB_STORED);
	twice = page_out_all(d, area);
	demo_true(d, twice.host_in >= TWICE_PAGES);
	for (unsigned i = 0; i < TWICE_PAGES; i++)
		demo_is(d, *page_of(area, i), mix(i));
	demo_note(d,
		  "%u pages: in the hypervisor's swap already, the guest read "
		  "%lu of them back to write %lu to its own; chosen by the "
		  "guest first: %lu back, %lu written",
		  TWICE_PAGES, twice.host_in, twice.guest_writes, once.host_in,
		  once.guest_writes);
	show_cure(d, area);
	sys_munmap((uintptr_t)area, TWICE_PAGES * PAGE_SIZE);
}

#define WORK 1024u /* pages looked at in a step */

struct step {
	uint64_t cap; /* bytes; 0: none */
	uint64_t faults, ticks, stalled_us;
};

/* Random pages, each checked and written: others with every @seed. */
static void work(struct demo *d, volatile void *area, unsigned pages,
		 struct step *s, uint64_t seed)
{
	struct lab_counters before = demo_lab_counters(d), after;
	uint64_t start = rdtsc(), wrong = 0;

	for (unsigned i = 0; i < WORK; i++) {
		unsigned page = (unsigned)(mix(seed << 32 | i) % pages);

		wrong += *page_of(area, page) != mix(page);
		page_of(area, page)[1] = i;
	}
	s->ticks = (rdtsc() - start) / WORK;
	after = demo_lab_counters(d);
	s->faults = after.missing - before.missing;
	s->stalled_us = after.stalled_us - before.stalled_us;
	demo_is(d, wrong, 0);
	if (!s->cap)
		return;
	demo_true(d, after.resident_bytes <= s->cap);
	demo_true(d, s->stalled_us);
}

/* The same work under a cap that gets smaller, and then is gone. */
void demo_pressure(struct demo *d)
{
	const uint64_t bytes = 2 * demo_low_cap();
	const unsigned pages = (unsigned)(bytes / PAGE_SIZE);
	struct step step[] = { { .cap = 0 },
			       { .cap = bytes * 3 / 4 },
			       { .cap = bytes / 2 } };
	volatile void *area;

	if (!demo_has_lab(d))
		return;
	area = demo_map(d, bytes, MAP_POPULATE);
	if (!area || !demo_has_host_swap(d, page_of(area, 0)))
		return;
	for (unsigned i = 0; i < pages; i++)
		*page_of(area, i) = mix(i);
	demo_note(d, "%u random pages of %lu MiB", WORK, bytes >> 20);
	for (unsigned i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		step[i].cap = demo_lab(d, LAB_RESIDENT, step[i].cap);
		if (!i)
			step[i].cap = 0;
		for (unsigned warm = 0; warm < 2; warm++) /* then it counts */
			work(d, area, pages, &step[i], 2 * i + warm);
		demo_note(d,
			  "; cap %lu KiB%s: %lu faults, %lu us stalled, %lu "
			  "ticks a page",
			  step[i].cap >> 10, step[i].cap ? "" : " (none)",
			  step[i].faults, step[i].stalled_us, step[i].ticks);
	}
	demo_lab(d, LAB_RESIDENT, 0);
	demo_true(d, step[1].faults > step[0].faults);
	demo_true(d, step[2].faults > step[1].faults);
	sys_munmap((uintptr_t)area, bytes);
}
