/* SPDX-License-Identifier: MIT */
/* Whose memory it is: a RAM of 64 pages and what tables in it say of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ept/walk.h"
#include "vmm/attribute.h"

#define PAGES 64u

/* Bits of the guest's entries: SDM vol. 3A, 4.5.4. */
#define P     0x1u
#define USER  0x4u
#define LARGE 0x80u

static uint64_t page[PAGES][LEVEL_ENTRIES]; /* guest RAM */
static enum owned state[PAGES];
static bool away[PAGES]; /* cannot be looked at */
static unsigned looks; /* at whole pages */
static struct ram ram;
static struct roots roots;
static struct attribution a;

static bool look(void *ctx, gpa_t at, void *to, size_t len)
{
	uint64_t g = gfn_of(at).v;

	(void)ctx;
	assert_in_range(g, 0, PAGES - 1);
	assert_true(range_within(at.v & PAGE_MASK, len, PAGE_SIZE));
	looks += len == PAGE_SIZE;
	if (away[g])
		return false;
	memcpy(to, (uint8_t *)page[g] + (at.v & PAGE_MASK), len);
	return true;
}

static enum owned state_of(void *ctx, gfn_t g)
{
	(void)ctx;
	assert_in_range(g.v, 0, PAGES - 1);
	return state[g.v];
}

static const struct attribute_memory memory = { &ram, look, state_of, NULL };

static int setup(void **unused)
{
	(void)unused;
	memset(page, 0, sizeof(page));
	memset(away, 0, sizeof(away));
	for (unsigned i = 0; i < PAGES; i++)
		state[i] = OWNED_RESIDENT;
	looks = 0;
	roots = (struct roots){ .n = 0 };
	ram = (struct ram){ .range = { { { 0 }, PAGES << PAGE_SHIFT } },
			    .ranges = 1 };
	return 0;
}

static void entry(unsigned table, unsigned i, unsigned to, uint64_t bits)
{
	page[table][i] = (uint64_t)to << PAGE_SHIFT | bits | P;
}

/*
 * A kernel whose half is tables 1 (level 3), 2 and 3, the last of which maps
 * pages 0 to 7; its own root is page 4.
 */
static void make_kernel(void)
{
	entry(4, 511, 1, 0);
	entry(1, 511, 2, 0);
	entry(2, 0, 3, 0);
	for (unsigned i = 0; i < 8; i++)
		entry(3, i, i, 0);
}

/* A process: root, tables behind it, @n pages from @first on. */
static void make_process(unsigned root, unsigned first, unsigned n)
{
	entry(root, 511, 1, 0);
	entry(root, 0, root + 1, USER);
	entry(root + 1, 0, root + 2, USER);
	entry(root + 2, 2, root + 3, USER);
	for (unsigned i = 0; i < n; i++)
		entry(root + 3, i, first + i, USER);
}

static void see(unsigned root, uint32_t pid)
{
	roots_add(&memory, &roots,
		  (struct root){ (uint64_t)root << PAGE_SHIFT, pid,
				 ROOT_BY_VCPU });
}

static void count(void)
{
	uint64_t all = 0;

	roots_find(&memory, &roots);
	assert_int_equal(attribute(&memory, &roots, &a), 0);
	for (unsigned k = 0; k < OWNED_STATES; k++) {
		for (unsigned i = 0; i < a.n; i++)
			all += a.process[i].own.n[k];
		all += a.others_own.n[k] + a.shared.n[k] + a.tables.n[k] +
		       a.kernel.n[k] + a.unreachable.n[k];
	}
	assert_int_equal(all, PAGES); /* each in one account */
}

/* From the one root that a vCPU uses. */
static void count_from(unsigned root)
{
	roots.n = 0;
	see(root, 0);
	count();
}

static void expect(const struct owned_pages *p, unsigned resident,
		   unsigned swapped, unsigned zero)
{
	assert_int_equal(p->n[OWNED_RESIDENT], resident);
	assert_int_equal(p->n[OWNED_SWAPPED], swapped);
	assert_int_equal(p->n[OWNED_ZERO], zero);
}

static void a_process_has_what_its_tables_map(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 10);
	state[33] = state[34] = OWNED_SWAPPED;
	state[35] = OWNED_ZERO;
	see(8, 5);
	count();
	assert_int_equal(a.n, 1);
	assert_int_equal(a.process[0].root.cr3, 8 << PAGE_SHIFT);
	assert_int_equal(a.process[0].root.pid, 5);
	assert_true(a.process[0].whole);
	assert_int_equal(a.process[0].tables, 4);
	expect(&a.process[0].own, 7, 2, 1);
	expect(&a.process[0].shared, 0, 0, 0);
	expect(&a.shared, 0, 0, 0);
	expect(&a.tables, 4, 0, 0);
	expect(&a.kernel, 8, 0, 0); /* pages 0 to 7, its tables among them */
	expect(&a.unreachable, PAGES - 8 - 4 - 10, 0, 0);
	assert_true(a.whole);
}

static void one_that_no_vcpu_uses_is_found(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	make_process(16, 40, 8);
	state[16] = OWNED_SWAPPED; /* its root, too, may be away */
	see(8, 5);
	count();
	assert_int_equal(a.n, 2); /* the kernel's own root has no lower half */
	assert_int_equal(a.process[0].root.cr3, 16 << PAGE_SHIFT);
	assert_int_equal(a.process[0].root.by, ROOT_BY_SEARCH);
	assert_int_equal(a.process[0].root.pid, 0);
	expect(&a.process[0].own, 8, 0, 0);
	expect(&a.process[1].own, 4, 0, 0);
	expect(&a.tables, 7, 1, 0);
}

static void what_two_map_is_shared(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 6);
	make_process(16, 36, 6);
	entry(11, 500, 32, USER); /* what one maps twice is its own */
	state[36] = OWNED_SWAPPED;
	count_from(8);
	assert_int_equal(a.n, 2);
	for (unsigned i = 0; i < 2; i++) {
		expect(&a.process[i].own, 4, 0, 0);
		expect(&a.process[i].shared, 1, 1, 0);
	}
	expect(&a.shared, 1, 1, 0);
}

/* Large pages, RAM that is none, and what ring 3 may not touch. */
static void only_ram_of_ring_3_counts(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	entry(10, 3, 0, USER | LARGE); /* 2 MiB from 0 on: all there is */
	entry(11, 100, 60, 0);
	entry(11, 101, 1 << 20, USER);
	entry(9, 9, 1 << 18, USER | LARGE); /* 1 GiB of nothing */
	count_from(8);
	assert_int_equal(a.n, 1);
	expect(&a.process[0].own, PAGES, 0, 0);
	page[10][3] = 0;
	count_from(8);
	expect(&a.process[0].own, 4, 0, 0);
	expect(&a.kernel, 8, 0, 0);
}

static void tables_that_are_away_leave_a_gap(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	make_process(16, 40, 4);
	state[11] = state[20] = OWNED_SWAPPED;
	away[11] = away[20] = true; /* a table, and what might be a root */
	count_from(8);
	assert_int_equal(a.unseen, 2);
	assert_int_equal(a.n, 1); /* nothing is known of the other */
	assert_int_equal(a.process[0].root.cr3, 16 << PAGE_SHIFT);
	assert_true(a.process[0].whole);
	assert_true(a.whole);
	away[3] = true; /* the kernel's */
	count_from(16);
	assert_false(a.whole);
}

/* The root that a kernel shows to ring 3 is no other process. */
static void twins_are_one(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	make_process(16, 40, 4);
	memmove(page[24], page[16], sizeof(page[24]));
	memset(page[16], 0, sizeof(page[16]));
	memcpy(page[25], page[24], PAGE_SIZE / 2); /* less of the kernel */
	entry(25, 300, 1, 0);
	see(25, 7);
	see(24, 7);
	see(8, 5);
	assert_int_equal(roots.n, 2);
	count();
	assert_int_equal(a.n, 2);
	see(8, 9);
	assert_int_equal(roots.n, 2); /* known */
}

/* One entry like the kernel's is no kernel's half; one that is missing is no
 * reason either. */
static void all_of_the_half_must_agree(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	make_process(48, 40, 4);
	entry(8, 300, 2, 0);
	entry(48, 300, 5, 0);
	count_from(8);
	assert_int_equal(a.n, 1);
	page[48][300] = 0;
	count_from(8);
	assert_int_equal(a.n, 2);
}

static void what_a_trace_saw_may_be_no_more(void **unused)
{
	const struct root traced[] = { { 16 << PAGE_SHIFT, 9, ROOT_BY_TRACE },
				       { 52 << PAGE_SHIFT, 3, ROOT_BY_TRACE },
				       { 48 << PAGE_SHIFT, 4, ROOT_BY_TRACE } };

	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	make_process(16, 40, 8);
	make_process(52, 56, 2);
	entry(52, 511, 5, 0); /* not this kernel's */
	away[48] = true;
	see(8, 5);
	for (unsigned i = 0; i < 3; i++)
		roots_add(&memory, &roots, traced[i]);
	count();
	assert_int_equal(a.n, 2);
	assert_int_equal(a.process[0].root.pid, 9);
	assert_int_equal(a.process[0].root.by, ROOT_BY_TRACE);
	assert_int_equal(a.process[1].root.pid, 5);
}

static void tables_of_one_that_ended_are_no_process(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	make_process(48, 40, 4);
	entry(48, 1, 11, USER); /* a table that another one has now */
	count_from(8);
	assert_int_equal(a.n, 1);
	page[48][1] = 0;
	entry(48, 1, 1 << 20, USER); /* no table */
	count_from(8);
	assert_int_equal(a.n, 1);
	page[48][1] = 0;
	count_from(8);
	assert_int_equal(a.n, 2);
}

/* Every entry of each table names the next one, and the last itself. */
static void tables_in_a_circle_come_to_an_end(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < LEVEL_ENTRIES; i++) {
		entry(8, i, 9, USER);
		entry(9, i, 10, USER);
		entry(10, i, 10, USER);
	}
	count_from(8);
	assert_false(a.whole);
	assert_in_range(looks, 1000, 1 << 18);
}

static void any_bytes_are_borne(void **unused)
{
	(void)unused;
	uint64_t seed = 1;

	for (unsigned i = 0; i < PAGES * LEVEL_ENTRIES; i++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		/* addresses within twice the RAM there is */
		page[i / LEVEL_ENTRIES][i % LEVEL_ENTRIES] =
			seed & (PAGE_MASK | (2 * PAGES - 1) << PAGE_SHIFT);
	}
	see(1, 0);
	see(2, 0);
	see(1 << 20, 0); /* no RAM */
	assert_int_equal(roots.n, 2);
	count();
}

static void without_any_root_there_is_nothing(void **unused)
{
	(void)unused;
	count();
	assert_int_equal(a.n, 0);
	assert_false(a.whole);
	expect(&a.unreachable, PAGES, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_process_has_what_its_tables_map),
		TEST(one_that_no_vcpu_uses_is_found),
		TEST(what_two_map_is_shared),
		TEST(only_ram_of_ring_3_counts),
		TEST(tables_that_are_away_leave_a_gap),
		TEST(twins_are_one),
		TEST(all_of_the_half_must_agree),
		TEST(what_a_trace_saw_may_be_no_more),
		TEST(tables_of_one_that_ended_are_no_process),
		TEST(tables_in_a_circle_come_to_an_end),
		TEST(any_bytes_are_borne),
		TEST(without_any_root_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
