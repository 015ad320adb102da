/* SPDX-License-Identifier: MIT */
/*
 * The two-dimensional walk, counted: guest tables laid out by hand in guest
 * memory whose stage 2 is laid out by hand, too, for every pair of page sizes.
 */
#include <string.h>

#include "tests/unit/stage2_fixture.h"

#include "ept/state.h"
#include "ept/twostage.h"

#define GIB   (UINT64_C(1) << 30)
#define RAM   (2 * GIB) /* of which hardly any is ever touched */
#define TABLE UINT64_C(0x10000) /* four pages: the guest's tables */
#define PAGE  (GIB + 0x12345678) /* the page the guest maps */
#define GVA   UINT64_C(0x7f1212345678)
#define PS    UINT64_C(0x80)

static struct twostage_ref seen[64];
static unsigned refs;

static void note(void *ctx, const struct twostage_ref *r)
{
	(void)ctx;
	assert_true(refs < 64);
	seen[refs++] = *r;
}

static int start_ram(void **state)
{
	(void)state;
	struct stage2_config c = {
		.region = { { { 0 }, RAM >> PAGE_SHIFT } },
		.regions = 1,
		.limit = RAM >> PAGE_SHIFT,
		.policy = &policy_clock,
		.vcpus = 1,
		.failed = on_failure,
	};

	return stage2_create(&s2, &c);
}

static int stop_ram(void **state)
{
	(void)state;
	stage2_stop(s2);
	stage2_destroy(s2);
	return 0;
}

/* Paging is off: RAM is mapped in pages of 1 GiB. A change of nothing around
 * @at leaves a page of @level there. */
static void split_stage2(uint64_t at, unsigned level)
{
	uint64_t pages = level_pages(level);
	gfn_t g = gfn_of((gpa_t){ at }), first = { g.v & ~(pages - 1) };

	assert_int_equal(ept_protect(&s2->ept, first, pages, PTE_RWX), 0);
	assert_int_equal(ept_level(&s2->ept, g), level);
}

static void map_stage2(unsigned level)
{
	split_stage2(TABLE, level);
	split_stage2(PAGE, level);
}

static void set_guest(unsigned table, unsigned level, uint64_t entry)
{
	uint64_t at = TABLE + table * PAGE_SIZE +
		      level_index(GVA >> PAGE_SHIFT, level) * sizeof(entry);

	assert_true(guest_write(s2, (gpa_t){ at }, &entry, sizeof(entry)));
}

/* GVA is mapped by the guest in a page of @leaf. */
static void map_stage1(unsigned leaf)
{
	uint64_t size = level_pages(leaf) << PAGE_SHIFT;

	for (unsigned table = 0, level = 4; level > leaf; table++, level--)
		set_guest(table, level, (TABLE + (table + 1) * PAGE_SIZE) | 7);
	set_guest(4 - leaf, leaf,
		  (PAGE & ~(size - 1)) | 7 | (leaf > 1 ? PS : 0));
}

static struct twostage go(void)
{
	refs = 0;
	return twostage_walk(s2, TABLE | 0x18, (gva_t){ GVA }, note, NULL);
}

static unsigned of_stage(unsigned stage)
{
	unsigned n = 0;

	for (unsigned i = 0; i < refs; i++)
		n += seen[i].stage == stage;
	return n;
}

/* A walk of g levels on one of h: g * (h + 1) + h references. */
static void every_pair_of_page_sizes(void **state)
{
	static const unsigned want[4][4] = {
		[1] = { 0, 24, 19, 14 },
		[2] = { 0, 19, 15, 11 },
		[3] = { 0, 14, 11, 8 },
	};

	for (unsigned guest = 1; guest <= 3; guest++)
		for (unsigned host = 1; host <= 3; host++) {
			uint64_t size = level_pages(guest) << PAGE_SHIFT;
			struct twostage t;

			start_ram(state);
			map_stage2(host);
			map_stage1(guest);
			t = go();
			assert_true(t.found);
			assert_int_equal(t.gpa.v, (PAGE & ~(size - 1)) |
							  (GVA & (size - 1)));
			assert_int_equal(refs, want[guest][host]);
			assert_int_equal(of_stage(1), 5 - guest);
			stop_ram(state);
		}
}

/* Each stage-1 entry follows the stage-2 walk for where it lies. */
static void references_come_in_the_order_of_the_hardware(void **state)
{
	unsigned at = 0;

	(void)state;
	map_stage2(1);
	map_stage1(1);
	go();
	for (unsigned row = 0; row < 5; row++) {
		gpa_t gpa = { row == 4 ? (PAGE & ~PAGE_MASK) | (GVA & PAGE_MASK)
				       : TABLE + row * PAGE_SIZE +
						 8 * level_index(
							     GVA >> PAGE_SHIFT,
							     4 - row) };

		for (unsigned level = 4; level > 0; level--, at++) {
			assert_int_equal(seen[at].stage, 2);
			assert_int_equal(seen[at].level, level);
			assert_int_equal(seen[at].gpa.v, gpa.v);
		}
		if (row == 4)
			break;
		assert_int_equal(seen[at].stage, 1);
		assert_int_equal(seen[at].level, 4 - row);
		assert_int_equal(seen[at].gpa.v, gpa.v);
		at++;
	}
	assert_int_equal(at, 24);
	assert_int_equal(refs, 24);
}

/* Where stage 1 ends there is no page to walk to. */
static void an_entry_that_is_not_present_ends_it(void **state)
{
	struct twostage t;

	(void)state;
	map_stage2(1);
	map_stage1(1);
	for (unsigned level = 1; level <= 4; level++) {
		set_guest(4 - level, level, 0);
		t = go();
		assert_false(t.has_gpa);
		assert_int_equal(of_stage(1), 5 - level);
		assert_int_equal(refs, 5 * (5 - level));
		assert_int_equal(seen[refs - 1].entry, 0);
	}
}

/* A page that is not mapped is where the walk would fault. */
static void a_page_that_is_away_is_the_last_reference(void **state)
{
	struct twostage t;

	(void)state;
	map_stage2(2);
	map_stage1(1);
	assert_int_equal(ept_map(&s2->ept, gfn_of((gpa_t){ PAGE }), 1,
				 pte_away(PTE_ABSENT, PAGER_ZERO, PTE_RWX)),
			 0);
	t = go();
	assert_true(t.has_gpa);
	assert_false(t.found);
	assert_int_equal(refs, 4 * (3 + 1) + 4);
	assert_int_equal(pte_kind((struct pte){ seen[refs - 1].entry }),
			 PTE_ABSENT);
}

/* What no table of four levels reaches is not walked at all. */
static void an_address_beyond_all_tables(void **state)
{
	const gpa_t beyond = { (EPT_PAGES << PAGE_SHIFT) | TABLE };
	struct twostage t;

	(void)state;
	map_stage2(3);
	map_stage1(1);
	refs = 0;
	t = twostage_walk(s2, TABLE, (gva_t){ UINT64_C(1) << 47 }, note, NULL);
	assert_false(t.has_gpa);
	assert_false(twostage_walk_gpa(s2, beyond, note, NULL));
	assert_int_equal(refs, 0);
	set_guest(3, 1, beyond.v | 7);
	t = go();
	assert_true(t.has_gpa);
	assert_int_equal(t.gpa.v, beyond.v | (GVA & PAGE_MASK));
	assert_false(t.found);
	assert_int_equal(of_stage(1), 4);
	assert_int_equal(seen[refs - 1].stage, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_ram, stop_ram)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_page_sizes),
		TEST(references_come_in_the_order_of_the_hardware),
		TEST(an_entry_that_is_not_present_ends_it),
		TEST(a_page_that_is_away_is_the_last_reference),
		TEST(an_address_beyond_all_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
