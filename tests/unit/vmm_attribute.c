/* SPDX-License-Identifier: MIT */
/* Whose memory it is: every page of RAM is in one account, whatever the tables
 * in it say. */
#include "tests/unit/attribute_fixture.h"

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

/* Its tables are, where it does not map them, too. */
static void the_kernel_has_what_its_tables_map(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	entry(2, 5, 60, 0);
	entry(60, 0, 61, 0);
	entry(60, 1, 32, 0); /* what a process has stays its */
	count_from(8);
	expect(&a.kernel, 8 + 2, 0, 0);
	expect(&a.tables, 4, 0, 0);
	expect(&a.process[0].own, 4, 0, 0);
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
	page[8][511] |= USER; /* as Linux lets its vsyscall page be read */
	page[1][511] |= USER;
	page[2][0] |= USER;
	page[3][7] |= USER;
	count_from(8);
	expect(&a.process[0].own, 4, 0, 0);
	expect(&a.kernel, 8, 0, 0);
}

static void ram_may_have_a_hole(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 6);
	make_process(64, 96, 2);
	ram = (struct ram){ .range = { { { 0 }, 34 << PAGE_SHIFT },
				       { { 36 << PAGE_SHIFT },
					 (PAGES - 36) << PAGE_SHIFT } },
			    .ranges = 2 };
	state[36] = OWNED_SWAPPED;
	state[97] = OWNED_ZERO;
	count_from(8);
	assert_int_equal(a.n, 2);
	expect(&a.process[0].own, 3, 1, 0);
	expect(&a.process[1].own, 1, 0, 1);
}

/* Of a hundred processes those with the most memory are told one by one. */
static void the_largest_are_told(void **unused)
{
	(void)unused;
	make_kernel();
	for (unsigned i = 0; i < 100; i++)
		make_process(8 + 4 * i, 408 + i, 1);
	entry(11, 1, 511, USER);
	entry(11, 2, 510, USER);
	count_from(16);
	assert_int_equal(a.n, ATTRIBUTE_PROCESSES);
	expect(&a.process[0].own, 3, 0, 0);
	assert_int_equal(a.process[0].root.cr3, 8 << PAGE_SHIFT);
	assert_int_equal(a.process[95].root.cr3, (8 + 4 * 95) << PAGE_SHIFT);
	assert_int_equal(a.others, 100 - ATTRIBUTE_PROCESSES);
	expect(&a.others_own, 100 - ATTRIBUTE_PROCESSES, 0, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_process_has_what_its_tables_map),
		TEST(what_two_map_is_shared),
		TEST(the_kernel_has_what_its_tables_map),
		TEST(only_ram_of_ring_3_counts),
		TEST(ram_may_have_a_hole),
		TEST(the_largest_are_told),
		TEST(tables_that_are_away_leave_a_gap),
		TEST(tables_in_a_circle_come_to_an_end),
		TEST(any_bytes_are_borne),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
