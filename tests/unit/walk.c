/* SPDX-License-Identifier: MIT */
/* The walk, over tables laid out by hand: every end at every level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "ept/pte.h"
#include "ept/walk.h"

/* Guest memory of 8 pages, tables at 0x1000 to 0x4000. */
static uint64_t memory[8][LEVEL_ENTRIES];
static unsigned reads;

static bool read_memory(void *ctx, unsigned level, uint64_t at, uint64_t *entry)
{
	(void)ctx;
	assert_int_equal(level, 4 - reads);
	reads++;
	if (at >= sizeof(memory))
		return false;
	*entry = memory[at / PAGE_SIZE][at % PAGE_SIZE / 8];
	return true;
}

static const struct pt_memory guest = { .read = read_memory };

/* Page 0x123456789: indices 0x024, 0x0d1, 0x0b3, 0x189 (4 times 9 bits). */
#define PAGE_AT UINT64_C(0x123456789)

static int tables(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	reads = 0;
	memory[1][level_index(PAGE_AT, 4)] = 0x2000 | 7;
	memory[2][level_index(PAGE_AT, 3)] = 0x3000 | 7;
	memory[3][level_index(PAGE_AT, 2)] = 0x4000 | 7;
	memory[4][level_index(PAGE_AT, 1)] = UINT64_C(0x80000000abcde007);
	return 0;
}

static struct walk walk_x86(void)
{
	return walk(&pt_x86_64, &guest, 0x1000, PAGE_AT);
}

static void indices_are_nine_bits_each(void **state)
{
	(void)state;
	assert_int_equal(level_index(PAGE_AT, 4), 0x024);
	assert_int_equal(level_index(PAGE_AT, 3), 0x0d1);
	assert_int_equal(level_index(PAGE_AT, 2), 0x0b3);
	assert_int_equal(level_index(PAGE_AT, 1), 0x189);
}

static void small_page_takes_four_reads(void **state)
{
	struct walk w = walk_x86();

	(void)state;
	assert_int_equal(w.end, WALK_LEAF);
	assert_int_equal(w.level, 1);
	assert_int_equal(w.slot, 0x4000 + 0x189 * 8);
	assert_int_equal(w.entry, UINT64_C(0x80000000abcde007));
	assert_int_equal(walk_target(&pt_x86_64, w, PAGE_AT), 0xabcde);
	assert_int_equal(reads, 4);
}

static void large_pages_end_the_walk_early(void **state)
{
	struct walk w;

	(void)state;
	/* bit 12 of a large leaf is PAT, not address (SDM 3A, 4.5.4) */
	memory[3][level_index(PAGE_AT, 2)] = 0x40001000 | 0x87;
	w = walk_x86();
	assert_int_equal(w.end, WALK_LEAF);
	assert_int_equal(w.level, 2);
	assert_int_equal(walk_target(&pt_x86_64, w, PAGE_AT), 0x40000 + 0x189);
	assert_int_equal(walk_target(&pt_x86_64, w, PAGE_AT - 1),
			 0x40000 + 0x188);
	assert_int_equal(reads, 3);

	reads = 0;
	memory[2][level_index(PAGE_AT, 3)] = 0x80000000 | 0x87;
	w = walk_x86();
	assert_int_equal(w.end, WALK_LEAF);
	assert_int_equal(w.level, 3);
	assert_int_equal(walk_target(&pt_x86_64, w, PAGE_AT),
			 0x80000 + (0x0b3 << 9) + 0x189);
	assert_int_equal(reads, 2);
}

static void leaf_bit_means_nothing_at_level_4_and_1(void **state)
{
	struct walk w;

	(void)state;
	memory[1][level_index(PAGE_AT, 4)] |= 0x80;
	memory[4][level_index(PAGE_AT, 1)] |= 0x80;
	w = walk_x86();
	assert_int_equal(w.end, WALK_LEAF);
	assert_int_equal(w.level, 1);
}

static void absent_entry_ends_the_walk_at_its_level(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= 4; level++) {
		struct walk w;

		tables(NULL);
		memory[5 - level][level_index(PAGE_AT, level)] = 0xabc000;
		w = walk_x86();
		assert_int_equal(w.end, WALK_NOT_PRESENT);
		assert_int_equal(w.level, level);
		assert_int_equal(w.entry, 0xabc000);
		assert_int_equal(reads, 5 - level);
	}
}

static void table_outside_memory_is_unreadable(void **state)
{
	struct walk w;

	(void)state;
	memory[2][level_index(PAGE_AT, 3)] = 0x7000000 | 7;
	w = walk_x86();
	assert_int_equal(w.end, WALK_UNREADABLE);
	assert_int_equal(w.level, 2);
	assert_int_equal(w.slot, 0x7000000 + 0x0b3 * 8);
}

/* The guest's present bit is one; any right makes an EPT entry present. */
static void formats_differ_in_what_is_present(void **state)
{
	(void)state;
	memory[4][level_index(PAGE_AT, 1)] = 0xabcd000 | PTE_X | PTE_LARGE;
	assert_int_equal(walk_x86().end, WALK_NOT_PRESENT);
	reads = 0;
	assert_int_equal(walk(&pt_ept, &guest, 0x1000, PAGE_AT).end, WALK_LEAF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(indices_are_nine_bits_each),
		cmocka_unit_test_setup(small_page_takes_four_reads, tables),
		cmocka_unit_test_setup(large_pages_end_the_walk_early, tables),
		cmocka_unit_test_setup(leaf_bit_means_nothing_at_level_4_and_1,
				       tables),
		cmocka_unit_test_setup(absent_entry_ends_the_walk_at_its_level,
				       tables),
		cmocka_unit_test_setup(table_outside_memory_is_unreadable,
				       tables),
		cmocka_unit_test_setup(formats_differ_in_what_is_present,
				       tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
