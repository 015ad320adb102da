/* SPDX-License-Identifier: MIT */
/* The census against what the pages were made to be, one by one. */
#include <string.h>

#include "tests/unit/stage2_fixture.h"

#include "ept/census.h"
#include "ept/state.h"

static struct census c;

static void start_regions(uint64_t low, uint64_t high)
{
	struct stage2_config config = {
		.region = { { { 0 }, low }, { { 1 << 20 }, high } },
		.regions = 2,
		.limit = low + high,
		.policy = &policy_clock,
		.vcpus = 1,
		.failed = on_failure,
	};

	assert_int_equal(stage2_create(&s2, &config), 0);
	s2->ept.stale = NULL; /* no host mapping is at stake */
}

static void stop_regions(void)
{
	stage2_stop(s2);
	stage2_destroy(s2);
}

/* Pages [first, first + n) become what @e says. */
static void make(uint64_t first, uint64_t n, enum pte_kind kind)
{
	struct pte e = kind == PTE_LEAF ? pte_leaf((frame_t){ first }, PTE_RWX)
					: pte_away(kind, first, PTE_RWX);

	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(ept_map(&s2->ept, (gfn_t){ first + i }, 1,
					 pte_offset(e, i)),
				 0);
}

static uint64_t total(enum census_state state)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < c.cells; i++)
		pages += c.cell[i][state];
	return pages;
}

static void every_kind_has_its_state(void **state)
{
	static const struct {
		enum pte_kind kind;
		enum census_state state;
	} kinds[] = {
		{ PTE_ABSENT, CENSUS_ABSENT },
		{ PTE_ARRIVING, CENSUS_MOVING },
		{ PTE_UNMAPPED, CENSUS_UNMAPPED },
		{ PTE_LEAVING, CENSUS_MOVING },
		{ PTE_STORED, CENSUS_STORED },
		{ PTE_POISONED, CENSUS_POISONED },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		start_regions(2048, 512);
		make(512 + 7, 100 + i, kinds[i].kind);
		stage2_census(s2, &c);
		assert_int_equal(c.cell[1][kinds[i].state], 100 + i);
		assert_int_equal(c.cell[1][CENSUS_MAPPED], 412 - i);
		assert_int_equal(total(CENSUS_MAPPED), 2560 - 100 - i);
		stop_regions();
	}
}

/* Of regions that end, or begin, within a block. */
static void cells_are_aligned(void **state)
{
	(void)state;
	start_regions(1024 + 3, 300);
	stage2_census(s2, &c);
	assert_int_equal(c.cell_pages, 512);
	assert_int_equal(c.counted, 0);
	assert_int_equal(c.regions, 2);
	assert_int_equal(c.region[0].cells, 3);
	assert_int_equal(c.region[1].cell, 3);
	assert_int_equal(c.region[1].cells, 1);
	assert_int_equal(c.region[1].first.v, 1 << 20);
	assert_int_equal(c.cells, 4);
	assert_int_equal(c.cell[0][CENSUS_MAPPED], 512);
	assert_int_equal(c.cell[2][CENSUS_MAPPED], 3);
	assert_int_equal(c.cell[3][CENSUS_MAPPED], 300);
	stop_regions();
}

/* Up to CENSUS_CELLS cells, whatever there is. */
static void cells_grow_with_memory(void **state)
{
	const uint64_t most = CENSUS_CELLS * UINT64_C(512);

	(void)state;
	start_regions(most - 512, 512);
	stage2_census(s2, &c);
	assert_int_equal(c.cells, CENSUS_CELLS);
	assert_int_equal(c.cell_pages, 512);
	assert_int_equal(total(CENSUS_MAPPED), most);
	stop_regions();
	start_regions(most - 512, 513);
	make(512, 5, PTE_UNMAPPED);
	stage2_census(s2, &c);
	assert_int_equal(c.cell_pages, 1024);
	assert_int_equal(c.cells, CENSUS_CELLS / 2 + 1);
	assert_int_equal(c.counted, 0);
	assert_int_equal(c.cell[0][CENSUS_UNMAPPED], 5);
	assert_int_equal(total(CENSUS_MAPPED), most + 1 - 5);
	stop_regions();
}

/* Of a cell of 32 blocks every second one is looked at. */
static void large_cells_are_sampled(void **state)
{
	(void)state;
	start_regions(CENSUS_CELLS / 2 * UINT64_C(512) * 32,
		      CENSUS_CELLS / 2 * UINT64_C(512) * 32);
	make(512, 1, PTE_UNMAPPED); /* not seen */
	make(1024, 1, PTE_UNMAPPED);
	stage2_census(s2, &c);
	assert_int_equal(c.cells, CENSUS_CELLS);
	assert_int_equal(c.counted, 16);
	assert_int_equal(c.cell[0][CENSUS_UNMAPPED], 1);
	assert_int_equal(c.cell[0][CENSUS_MAPPED], 16 * 512 - 1);
	assert_int_equal(total(CENSUS_MAPPED), CENSUS_CELLS * 16 * 512 - 1);
	stop_regions();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_its_state),
		cmocka_unit_test(cells_are_aligned),
		cmocka_unit_test(cells_grow_with_memory),
		cmocka_unit_test(large_cells_are_sampled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
