/* SPDX-License-Identifier: MIT */
/* two-stage, stage2-faults, overcommit: what the lab device lets us see. */
#include "guest/abi.h"
#include "guest/lib/errno.h"
#include "guest/mm/table.h"
#include "guest/user/tour/demo.h"

demo_fn demo_two_stage, demo_stage2_faults, demo_overcommit;

/*
 * References of one stage-2 walk, from ref[*at] on: levels 4, 3, ... to the
 * leaf. Returns how many.
 */
static unsigned stage2_part(struct demo *d, const struct lab_walk *w,
			    unsigned *at)
{
	unsigned n = 0;

	while (*at < w->refs && w->ref[*at].stage == 2 && n < 4 &&
	       (!n || w->ref[*at].level < w->ref[*at - 1].level)) {
		demo_is(d, w->ref[*at].level, 4 - n);
		n++;
		++*at;
	}
	demo_true(d, n >= 2); /* a leaf at level 3 at the highest */
	return n;
}

/*
 * Follow the list: for each of our levels a stage-2 walk to the table and one
 * reference to the entry in it, then a stage-2 walk to the page. Our own
 * entries must be those that the kernel reads in its tables.
 */
static void check_references(struct demo *d, uint64_t va,
			     const struct lab_walk *w)
{
	struct walk own = demo_walk((void *)va);
	unsigned at = 0, sum = 0;

	demo_is(d, w->found, 1);
	demo_is(d, w->gpa, own.pa);
	for (unsigned i = 0; i < own.entries; i++) {
		sum += stage2_part(d, w, &at) + 1;
		if (!demo_true(d, at < w->refs && w->ref[at].stage == 1))
			return;
		demo_is(d, w->ref[at].level, TABLE_TOP - i);
		demo_is(d, w->ref[at].gpa, own.entry_pa[i]);
		demo_is(d, w->ref[at].entry, own.entry[i]);
		at++;
	}
	sum += stage2_part(d, w, &at);
	demo_is(d, w->refs, sum);
	demo_is(d, at, sum);
	demo_note(d, "%#lx -> %#lx: %u references (leaf at level %u and %u)",
		  va, w->gpa, w->refs, TABLE_TOP - own.entries + 1,
		  w->ref[w->refs - 1].level);
	for (unsigned i = 0; i < w->refs; i++)
		demo_note(d, " %c%u", w->ref[i].stage == 1 ? 'g' : 'h',
			  w->ref[i].level);
}

void demo_two_stage(struct demo *d)
{
	const struct lab_walk *w;
	volatile char *page;
	uint64_t large;

	if (!demo_has_lab(d))
		return;
	page = demo_map(d, PAGE_SIZE, 0);
	if (!page)
		return;
	*page = 1;
	w = demo_lab_walk(d, (uintptr_t)page);
	check_references(d, (uintptr_t)page, w);
	if (w->refs && w->ref[w->refs - 1].level == 1)
		demo_is(d, w->refs, 24);

	large = DIRECT_BASE + demo_walk(page).pa;
	w = demo_lab_walk(d, large);
	demo_note(d, "; in the kernel's direct map ");
	check_references(d, large, w);
	demo_true(d, w->refs < 24);
	sys_munmap((uintptr_t)page, PAGE_SIZE);
}

/*
 * Pages that are mapped by us, and which the hypervisor has not: of what was
 * not written yet it need not keep anything. One set to rehearse, so that all
 * else that is needed has been touched, and one that counts.
 */
#define SETS	 2u
#define SET_SIZE 2u

static volatile uint64_t *page_of(char *area, unsigned set, unsigned i)
{
	return (volatile uint64_t *)(area + (set * SET_SIZE + i) * PAGE_SIZE);
}

struct stage2_case {
	struct demo *d;
	bool counts; /* false in rehearsal */
	struct lab_counters before, after;
};

#define CHANGE(c, field) ((c)->after.field - (c)->before.field)

static void begin(struct stage2_case *c)
{
	c->before = demo_lab_counters(c->d);
}

static void end(struct stage2_case *c)
{
	c->after = demo_lab_counters(c->d);
}

static void first_touch(struct stage2_case *c, volatile uint64_t *page)
{
	uint64_t got;

	demo_is(c->d, demo_lab(c->d, LAB_EVICT, demo_walk(page).pa),
		LAB_ABSENT);
	begin(c);
	got = *page;
	end(c);
	demo_is(c->d, got, 0);
	if (!c->counts)
		return;
	demo_is(c->d, CHANGE(c, missing), 1);
	demo_is(c->d, CHANGE(c, zero_filled), 1);
	demo_note(c->d, "first touch: missing +1, zero filled +1");
}

static void swap_in(struct stage2_case *c, volatile uint64_t *page, uint64_t pa)
{
	uint64_t got;

	*page = 0x0123456789abcdef;
	demo_is(c->d, demo_lab(c->d, LAB_EVICT, pa), LAB_STORED);
	begin(c);
	got = *page;
	end(c);
	demo_is(c->d, got, 0x0123456789abcdef);
	if (!c->counts)
		return;
	demo_is(c->d, CHANGE(c, missing), 1);
	demo_is(c->d, CHANGE(c, swapped_in), 1);
	demo_note(c->d, "; evicted, touched: missing +1, swapped in +1");
}

static void minor_fault(struct stage2_case *c, volatile uint64_t *page,
			uint64_t pa)
{
	uint64_t got;

	demo_lab(c->d, LAB_UNMAP, pa);
	demo_is(c->d, demo_lab(c->d, LAB_STATE, pa), LAB_UNMAPPED);
	begin(c);
	got = *page;
	end(c);
	demo_is(c->d, got, 0x0123456789abcdef);
	if (!c->counts)
		return;
	demo_is(c->d, CHANGE(c, minor), 1);
	demo_is(c->d, CHANGE(c, missing), 0);
	demo_note(c->d, "; unmapped, touched: minor +1");
}

/* Swapped in above and only read since: its copy in swap is still good. Then it
 * is written to, there where it is not. */
static void clean_eviction(struct stage2_case *c, volatile uint64_t *page,
			   uint64_t pa)
{
	begin(c);
	demo_is(c->d, demo_lab(c->d, LAB_EVICT, pa), LAB_STORED);
	end(c);
	if (c->counts) {
		demo_is(c->d, CHANGE(c, clean_dropped), 1);
		demo_is(c->d, CHANGE(c, swapped_out), 0);
		demo_note(c->d, "; evicted clean: dropped +1, written 0");
	}
	begin(c);
	page[1] = 0xfedcba9876543210;
	end(c);
	demo_is(c->d, page[0], 0x0123456789abcdef);
	if (!c->counts)
		return;
	demo_is(c->d, CHANGE(c, missing), 1);
	demo_is(c->d, CHANGE(c, swapped_in), 1);
	demo_note(c->d, "; a write to it: missing +1, swapped in +1");
}

/* And that write is not lost. */
static void dirty_eviction(struct stage2_case *c, volatile uint64_t *page,
			   uint64_t pa)
{
	begin(c);
	demo_is(c->d, demo_lab(c->d, LAB_EVICT, pa), LAB_STORED);
	end(c);
	demo_is(c->d, page[1], 0xfedcba9876543210);
	if (!c->counts)
		return;
	demo_is(c->d, CHANGE(c, clean_dropped), 0);
	demo_is(c->d, CHANGE(c, swapped_out), 1);
	demo_note(c->d, "; evicted dirty: written +1");
}

void demo_stage2_faults(struct demo *d)
{
	struct stage2_case c = { .d = d };
	char *area;

	if (!demo_has_lab(d))
		return;
	area = demo_map(d, SETS * SET_SIZE * PAGE_SIZE, MAP_POPULATE);
	if (!area || !demo_has_host_swap(d, page_of(area, 0, 1)))
		return;
	for (unsigned set = 0; set < SETS; set++) {
		volatile uint64_t *fresh = page_of(area, set, 0);
		volatile uint64_t *page = page_of(area, set, 1);
		uint64_t pa = demo_walk(page).pa;

		c.counts = set == SETS - 1;
		first_touch(&c, fresh);
		swap_in(&c, page, pa);
		minor_fault(&c, page, pa);
		clean_eviction(&c, page, pa);
		dirty_eviction(&c, page, pa);
	}
	demo_note(d, "; data intact each time");
	sys_munmap((uintptr_t)area, SETS * SET_SIZE * PAGE_SIZE);
}

#define PAGE_WORDS (PAGE_SIZE / 8)

/* No two words are alike, and a page still compresses, as in verify.c. */
static uint64_t pattern(uint64_t word)
{
	uint64_t page = (word / PAGE_WORDS + 1) * 0x9e3779b97f4a7c15;

	return (page & ~0xfffful) | (uint16_t)(word * 0x9e37);
}

/* Check every word, and now and then how much memory is resident. */
static uint64_t check_under_cap(struct demo *d, const uint64_t *at,
				uint64_t bytes, uint64_t cap)
{
	uint64_t peak = 0, wrong = 0;

	for (uint64_t word = 0; word < bytes / 8; word++) {
		wrong += at[word] != pattern(word);
		if (word % (64 * PAGE_WORDS) == 0) {
			uint64_t now = demo_lab_counters(d).resident_bytes;

			peak = now > peak ? now : peak;
		}
	}
	demo_is(d, wrong, 0);
	demo_true(d, peak <= cap);
	return peak;
}

void demo_overcommit(struct demo *d)
{
	const uint64_t low = demo_low_cap(), bytes = low + (12ul << 20);
	struct lab_counters before, after;
	uint64_t *at, cap, peak;

	if (!demo_has_lab(d))
		return;
	at = demo_map(d, bytes, 0);
	if (!at || !demo_has_host_swap(d, at))
		return;
	for (uint64_t word = 0; word < bytes / 8; word++)
		at[word] = pattern(word);
	before = demo_lab_counters(d);
	cap = demo_lab(d, LAB_RESIDENT, low);
	demo_true(d, cap <= low);
	peak = check_under_cap(d, at, bytes, cap);
	after = demo_lab_counters(d);
	demo_lab(d, LAB_RESIDENT, 0);
	demo_true(d, after.swapped_in > before.swapped_in);
	demo_note(d,
		  "%lu MiB under a cap of %lu KiB: at most %lu KiB resident, "
		  "%lu pages out, %lu in, nothing lost",
		  bytes >> 20, cap >> 10, peak >> 10,
		  after.swapped_out - before.swapped_out,
		  after.swapped_in - before.swapped_in);
	sys_munmap((uintptr_t)at, bytes);
}
