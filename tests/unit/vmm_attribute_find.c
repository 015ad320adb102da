/* SPDX-License-Identifier: MIT */
/* Which pages of RAM are roots of processes that are. */
#include "tests/unit/attribute_fixture.h"

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

/* To look at a page there is to load it. */
static void not_all_of_swap_is_searched(void **unused)
{
	const uint64_t most = 1 << 17, more = 100;

	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	ram.range[0].bytes = (PAGES + most + more) << PAGE_SHIFT;
	see(8, 0);
	roots_find(&memory, &roots);
	assert_int_equal(roots.unseen, more);
	/* In each 512 pages of it, the kernel's own root and the process's. */
	assert_int_equal(roots.n, 2 * (most / PAGES + 1));
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

/* But who is beside it, with as many tables in other places, is. */
static void neighbours_are_two(void **unused)
{
	(void)unused;
	make_kernel();
	make_process(8, 32, 4);
	make_process(80, 100, 4);
	make_process(88, 104, 4);
	memcpy(page[24], page[80], PAGE_SIZE);
	entry(25, 511, 1, 0);
	entry(25, 1, 89, USER);
	memset(page[80], 0, PAGE_SIZE);
	memset(page[88], 0, PAGE_SIZE);
	count_from(8);
	assert_int_equal(a.n, 3);
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
	entry(48, 301, 5, 0);
	count_from(8);
	assert_int_equal(a.n, 2);
	make_process(64, 96, 4);
	entry(64, 302, 5, 0);
	count_from(8);
	assert_int_equal(a.n, 3);
	entry(48, 302, 6, 0); /* two roots at work: who knows more is right */
	entry(48, 300, 2, 0);
	roots.n = 0;
	see(8, 0);
	see(48, 0);
	count();
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
	entry(50, 9, 11, USER); /* the same at its end */
	page[48][1] = 0;
	count_from(8);
	assert_int_equal(a.n, 1);
	roots.n = 0;
	see(8, 0);
	see(48, 0); /* unless a vCPU uses it */
	count();
	assert_int_equal(a.n, 2);
	page[50][9] = 0;
	count_from(8);
	assert_int_equal(a.n, 2);
}

static void roots_that_have_no_room_are_counted(void **unused)
{
	(void)unused;
	ram.range[0].bytes = 4 * ROOTS_MAX << PAGE_SHIFT;
	for (unsigned i = 0; i <= ROOTS_MAX; i++)
		see(2 * i, 0);
	assert_int_equal(roots.n, ROOTS_MAX);
	assert_int_equal(roots.left_out, 1);
	setup(unused);
	make_kernel();
	make_process(8, 32, 4);
	roots.left_out = 1;
	count_from(8);
	assert_false(a.whole);
}

static void without_any_root_there_is_nothing(void **unused)
{
	(void)unused;
	count();
	assert_int_equal(a.n, 0);
	assert_false(a.whole);
	expect(&a.unreachable, PAGES, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_no_vcpu_uses_is_found),
		TEST(not_all_of_swap_is_searched),
		TEST(twins_are_one),
		TEST(neighbours_are_two),
		TEST(all_of_the_half_must_agree),
		TEST(what_a_trace_saw_may_be_no_more),
		TEST(tables_of_one_that_ended_are_no_process),
		TEST(roots_that_have_no_room_are_counted),
		TEST(without_any_root_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
