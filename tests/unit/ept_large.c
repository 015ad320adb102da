/* SPDX-License-Identifier: MIT */
/* Stage 2 with frames of 2 MiB: they move as a whole, their pages are stored
 * one by one. Huge pages are borrowed from the host for the time. */
#include <stdlib.h>

#include "ept/backing.h"
#include "ept/guest_mem.h"
#include "tests/unit/stage2_fixture.h"

#define LARGE  512 /* pages of a frame */
#define FRAMES 12
#define CAP    4
#define NR     "/proc/sys/vm/nr_hugepages"
#define FREE   "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

static long before = -1;

static long number_in(const char *path)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static void set_number(long n)
{
	FILE *f = fopen(NR, "w");

	if (!f)
		return;
	fprintf(f, "%ld\n", n);
	fclose(f);
}

static void give_back(void)
{
	if (before >= 0)
		set_number(before);
}

static bool borrow(long pages)
{
	if (number_in(FREE) >= pages)
		return true;
	before = number_in(NR);
	atexit(give_back);
	set_number(before + pages);
	return number_in(FREE) >= pages;
}

static void start_large(uint64_t flip)
{
	start((struct options){ .pages = FRAMES * LARGE,
				.limit = CAP * LARGE,
				.flip = flip,
				.large = true });
}

static void one_touch_brings_a_frame(void **state)
{
	(void)state;
	start_large(0);
	assert_int_equal(*touchable(LARGE + 5), 0);
	assert_int_equal(counters().missing, 1);
	assert_int_equal(counters().zero_filled, LARGE);
	assert_int_equal(counters().resident, LARGE);
	assert_int_equal(stage2_measured_bytes(s2), LARGE * PAGE_SIZE);
	assert_int_equal(kind(LARGE), PTE_LEAF);
	assert_int_equal(kind(2 * LARGE - 1), PTE_LEAF);
	assert_int_equal(kind(LARGE - 1), PTE_ABSENT);
	stop();
}

/* Of its 512 pages 3 were written: the others are zeros and store nothing. */
static void pages_of_a_frame_leave_one_by_one(void **state)
{
	static const uint64_t page[] = { LARGE, LARGE + 100, 2 * LARGE - 1 };

	(void)state;
	start_large(0);
	for (unsigned i = 0; i < 3; i++)
		*touchable(page[i]) = 40 + i;
	assert_int_equal(stage2_evict(s2, gfn(LARGE + 7)), 0);
	assert_int_equal(stage2_measured_bytes(s2), 0);
	assert_int_equal(counters().swapped_out, 3);
	assert_int_equal(counters().zero_elided, LARGE - 3);
	assert_int_equal(kind(LARGE + 100), PTE_STORED);
	assert_int_equal(kind(LARGE + 101), PTE_ABSENT);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(*touchable(page[i]), 40 + i);
	assert_int_equal(counters().missing, 2);
	assert_int_equal(counters().swapped_in, 3);

	*touchable(LARGE + 100) = 99; /* the two others are clean */
	assert_int_equal(stage2_evict(s2, gfn(LARGE)), 0);
	assert_int_equal(counters().clean_dropped, 2);
	assert_int_equal(counters().swapped_out, 4);
	assert_int_equal(swap_slots_used(swap), 3);
	stop();
}

static void unmapped_frame_is_minor_and_devices_see_it(void **state)
{
	uint64_t word = 7, got = 0;

	(void)state;
	start_large(0);
	assert_true(guest_write(s2, (gpa_t){ 3 * PAGE_SIZE - 4 }, &word, 8));
	assert_int_equal(counters().missing, 0);
	assert_int_equal(stage2_unmap(s2, gfn(9)), 0);
	assert_int_equal(kind(2), PTE_UNMAPPED);
	assert_true(guest_read(s2, (gpa_t){ 3 * PAGE_SIZE - 4 }, &got, 8));
	assert_int_equal(got, 7);
	assert_int_equal(*touchable(2), 0);
	assert_int_equal(counters().minor, 1);
	stop();
}

static void cap_holds_and_nothing_is_lost(void **state)
{
	(void)state;
	start_large(0);
	for (uint64_t round = 1; round < 4; round++) {
		for (uint64_t i = 0; i < FRAMES * LARGE; i += 37)
			touchable(i)[i % 512] = i * round | 1;
		for (uint64_t i = 0; i < FRAMES * LARGE; i += 37)
			assert_int_equal(touchable(i)[i % 512], i * round | 1);
	}
	assert_true(counters().peak_bytes <= CAP * LARGE * PAGE_SIZE);
	assert_true(counters().swapped_out > 0);
	assert_int_equal(failures, 0);
	stop();
}

/* A huge page that is there already is stepped over as one. */
static void what_is_mapped_is_skipped_whole(void **state)
{
	const uint64_t modes =
		UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR;
	uint64_t each, done;
	int uffd = uffd_open(), error;
	struct backing b;

	(void)state;
	assert_int_equal(backing_create(&b, 3, PAGE_SHIFT + LEVEL_BITS, true),
			 0);
	each = backing_span(&b, 1);
	assert_int_equal(uffd_watch(uffd, b.guest, 3 * each, modes), 0);
	for (uint64_t f = 0; f < 3; f++)
		assert_int_equal(backing_take(&b, (frame_t){ f }), 0);
	done = uffd_continue(uffd, b.guest + each, each, each, &error);
	assert_int_equal(done, each);
	done = uffd_continue(uffd, b.guest, 3 * each, each, &error);
	assert_int_equal(error, 0);
	assert_int_equal(done, 3 * each);
	close(uffd);
	backing_destroy(&b);
}

/* A page of it is damaged: the frame stays out, each page where it was. */
static void damaged_page_keeps_its_frame_out(void **state)
{
	uint64_t got = 0;

	(void)state;
	start_large(2);
	*touchable(1) = 11;
	*touchable(200) = 12;
	assert_int_equal(stage2_evict(s2, gfn(0)), 0);
	assert_false(guest_read(s2, (gpa_t){ 0 }, &got, sizeof(got)));
	assert_int_equal(failures, 1);
	assert_int_equal(kind(1), PTE_STORED);
	assert_int_equal(kind(2), PTE_ABSENT);
	assert_int_equal(kind(200), PTE_STORED);
	assert_int_equal(stage2_measured_bytes(s2), 0);
	assert_int_equal(counters().resident, 0);
	stop();
}

/* What lies in it only in part stays as it is. */
static void a_frame_is_discarded_whole_or_not(void **state)
{
	const gpa_t at = gpa_of(gfn(LARGE));

	(void)state;
	start_large(0);
	*touchable(LARGE) = 1;
	assert_int_equal(
		guest_discard(s2, at, (LARGE - 1) * PAGE_SIZE, GUEST_BALLOONED),
		0);
	assert_int_equal(*touchable(LARGE), 1);
	assert_int_equal(
		guest_discard(s2, at, LARGE * PAGE_SIZE, GUEST_BALLOONED),
		LARGE);
	assert_int_equal(counters().resident, 0);
	assert_int_equal(stage2_measured_bytes(s2), 0);
	assert_int_equal(*touchable(LARGE), 0);

	*touchable(LARGE + 9) = 2;
	assert_int_equal(stage2_evict(s2, gfn(LARGE)), 0);
	assert_int_equal(
		guest_discard(s2, at, LARGE * PAGE_SIZE, GUEST_BALLOONED), 0);
	assert_int_equal(swap_slots_used(swap), 0);
	assert_int_equal(*touchable(LARGE + 9), 0);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_touch_brings_a_frame),
		cmocka_unit_test(pages_of_a_frame_leave_one_by_one),
		cmocka_unit_test(unmapped_frame_is_minor_and_devices_see_it),
		cmocka_unit_test(cap_holds_and_nothing_is_lost),
		cmocka_unit_test(what_is_mapped_is_skipped_whole),
		cmocka_unit_test(damaged_page_keeps_its_frame_out),
		cmocka_unit_test(a_frame_is_discarded_whole_or_not),
	};

	if (!borrow(FRAMES)) {
		printf("SKIP (no %d huge pages of 2 MiB to be had)\n", FRAMES);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
