/* SPDX-License-Identifier: MIT */
/* The stage-2 table: large entries, their splits and merges, its counts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ept/table.h"

#define MIB2 UINT64_C(512) /* pages of 2 MiB */
#define GIB  UINT64_C(262144) /* pages of 1 GiB */

static struct ept t;
static uint64_t stale_calls, stale_pages;

static void count_stale(void *ctx, gfn_t first, uint64_t pages)
{
	(void)ctx;
	(void)first;
	stale_calls++;
	stale_pages += pages;
}

static int setup(void **state)
{
	(void)state;
	stale_calls = stale_pages = 0;
	if (ept_init(&t))
		return -1;
	t.stale = count_stale;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ept_destroy(&t);
	return 0;
}

static void map(uint64_t gfn, uint64_t pages, uint64_t frame)
{
	assert_int_equal(ept_map(&t, (gfn_t){ gfn }, pages,
				 pte_leaf((frame_t){ frame }, PTE_RWX)),
			 0);
}

static void expect(uint64_t gfn, enum pte_kind kind, uint64_t payload)
{
	struct pte e = ept_lookup(&t, (gfn_t){ gfn });

	assert_int_equal(pte_kind(e), kind);
	assert_int_equal(pte_payload(e), payload);
}

static void level_is(uint64_t gfn, unsigned level)
{
	assert_int_equal(ept_level(&t, (gfn_t){ gfn }), level);
}

static void aligned_ranges_use_the_largest_leaves(void **state)
{
	(void)state;
	map(0, 2 * GIB + MIB2 + 1, 0);
	level_is(0, 3);
	level_is(2 * GIB - 1, 3);
	level_is(2 * GIB, 2);
	level_is(2 * GIB + MIB2, 1);
	expect(2 * GIB + MIB2, PTE_LEAF, 2 * GIB + MIB2);
	assert_int_equal(t.tables, 4);
	assert_int_equal(t.pages[PTE_LEAF], 2 * GIB + MIB2 + 1);
}

static void unaligned_frame_needs_small_leaves(void **state)
{
	(void)state;
	map(0, MIB2, 1);
	level_is(0, 1);
	expect(MIB2 - 1, PTE_LEAF, MIB2);
}

/* Jailhouse had this wrong twice: unmapping a range that covers a large page
 * in part took the whole page along. */
static void unmapping_part_of_a_large_page_keeps_the_rest(void **state)
{
	(void)state;
	map(0, GIB, 0);
	assert_int_equal(ept_unmap(&t, (gfn_t){ MIB2 + 5 }, 2), 0);
	expect(MIB2 + 4, PTE_LEAF, MIB2 + 4);
	expect(MIB2 + 5, PTE_HOLE, 0);
	expect(MIB2 + 6, PTE_HOLE, 0);
	expect(MIB2 + 7, PTE_LEAF, MIB2 + 7);
	level_is(0, 2);
	level_is(MIB2, 1);
	assert_int_equal(t.pages[PTE_LEAF], GIB - 2);
	assert_int_equal(stale_pages, 2);
}

static void range_may_end_at_the_top_of_the_space(void **state)
{
	(void)state;
	map(EPT_PAGES - 3, 3, 7);
	expect(EPT_PAGES - 1, PTE_LEAF, 9);
	assert_int_equal(ept_unmap(&t, (gfn_t){ EPT_PAGES - 1 }, 1), 0);
	expect(EPT_PAGES - 1, PTE_HOLE, 0);
	expect(EPT_PAGES - 2, PTE_LEAF, 8);
	assert_int_equal(ept_unmap(&t, (gfn_t){ 0 }, EPT_PAGES), 0);
	assert_int_equal(t.tables, 1);
	assert_int_equal(t.pages[PTE_HOLE], EPT_PAGES);
}

static void ranges_beyond_the_space_are_refused(void **state)
{
	struct pte e = pte_leaf((frame_t){ 0 }, PTE_RWX);

	(void)state;
	assert_int_equal(ept_map(&t, (gfn_t){ EPT_PAGES - 1 }, 2, e), -EINVAL);
	assert_int_equal(ept_map(&t, (gfn_t){ EPT_PAGES }, 1, e), -EINVAL);
	assert_int_equal(ept_map(&t, (gfn_t){ 1 }, UINT64_MAX, e), -EINVAL);
	assert_int_equal(ept_map(&t, (gfn_t){ EPT_PAGES }, 0, e), 0);
	expect(EPT_PAGES, PTE_HOLE, 0);
	expect(UINT64_MAX, PTE_HOLE, 0);
	assert_int_equal(t.tables, 1);
}

static void what_is_absent_costs_no_tables(void **state)
{
	(void)state;
	assert_int_equal(ept_map(&t, (gfn_t){ 0 }, 512 * GIB,
				 pte_away(PTE_ABSENT, 3, PTE_RWX)),
			 0);
	level_is(0, 4);
	assert_int_equal(t.tables, 1);
	expect(511 * GIB + 12345, PTE_ABSENT, 3);
	map(12345, 1, 99); /* the first touch splits it down to the page */
	assert_int_equal(t.tables, 4);
	expect(12344, PTE_ABSENT, 3);
	expect(12345, PTE_LEAF, 99);
	assert_int_equal(t.pages[PTE_ABSENT], 512 * GIB - 1);
}

/* Two swapped pages in a row do not lie in two slots in a row. */
static void a_slot_names_one_page_only(void **state)
{
	struct pte e = pte_away(PTE_STORED, 512, PTE_RWX);

	(void)state;
	assert_true(pte_fits(e, 1));
	assert_false(pte_fits(e, 2));
	assert_int_equal(ept_map(&t, (gfn_t){ 5 }, 1, e), 0);
	expect(5, PTE_STORED, 512);
}

static void protect_keeps_pages_and_invalidates_lost_rights(void **state)
{
	(void)state;
	map(0, MIB2, 0);
	assert_int_equal(ept_protect(&t, (gfn_t){ 8 }, 8, PTE_R), 0);
	assert_int_equal(stale_pages, 8);
	assert_int_equal(pte_rights(ept_lookup(&t, (gfn_t){ 7 })), PTE_RWX);
	assert_int_equal(pte_rights(ept_lookup(&t, (gfn_t){ 8 })), PTE_R);
	expect(15, PTE_LEAF, 15);
	assert_int_equal(ept_protect(&t, (gfn_t){ 8 }, 8, PTE_RWX), 0);
	assert_int_equal(stale_pages, 8); /* gaining rights is no loss */
	assert_int_equal(ept_protect(&t, (gfn_t){ 1 << 20 }, 8, PTE_R), 0);
	assert_int_equal(t.pages[PTE_LEAF], MIB2); /* holes stay holes */
	assert_int_equal(t.tables, 4);
}

static void rights_travel_with_a_page_that_is_away(void **state)
{
	struct pte e = pte_away(PTE_STORED, 77, PTE_R | PTE_X);

	(void)state;
	assert_int_equal(pte_rights(e), PTE_R | PTE_X);
	e = pte_with_rights(e, PTE_R);
	assert_int_equal(pte_rights(e), PTE_R);
	assert_int_equal(pte_kind(e), PTE_STORED);
	assert_int_equal(pte_payload(e), 77);
}

static void merge_undoes_split(void **state)
{
	(void)state;
	map(0, GIB, 0);
	assert_int_equal(ept_unmap(&t, (gfn_t){ 3 }, 1), 0);
	assert_int_equal(ept_merge(&t, (gfn_t){ 0 }, GIB), 0);
	map(3, 1, 3);
	assert_int_equal(t.tables, 4);
	assert_int_equal(ept_merge(&t, (gfn_t){ 1 }, GIB - 1), 0);
	assert_int_equal(ept_merge(&t, (gfn_t){ 0 }, GIB), 2);
	level_is(3, 3);
	assert_int_equal(stale_pages, 1); /* merging invalidates nothing */
	assert_int_equal(t.pages[PTE_LEAF], GIB);
}

static void remapping_elsewhere_invalidates(void **state)
{
	(void)state;
	map(0, MIB2, 0);
	map(0, MIB2, 0);
	assert_int_equal(stale_calls, 0);
	map(0, MIB2, MIB2);
	assert_int_equal(stale_calls, 1);
	assert_int_equal(stale_pages, MIB2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(aligned_ranges_use_the_largest_leaves),
		TEST(unaligned_frame_needs_small_leaves),
		TEST(unmapping_part_of_a_large_page_keeps_the_rest),
		TEST(range_may_end_at_the_top_of_the_space),
		TEST(ranges_beyond_the_space_are_refused),
		TEST(what_is_absent_costs_no_tables),
		TEST(a_slot_names_one_page_only),
		TEST(protect_keeps_pages_and_invalidates_lost_rights),
		TEST(rights_travel_with_a_page_that_is_away),
		TEST(merge_undoes_split),
		TEST(remapping_elsewhere_invalidates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
