/* SPDX-License-Identifier: MIT */
/* Stage 2, a page or a few at a time. */
#include <string.h>

#include "ept/guest_mem.h"
#include "tests/unit/stage2_fixture.h"

static FILE *file;

static void first_touch_is_missing_and_zero(void **state)
{
	(void)state;
	start((struct options){ 0 });
	assert_int_equal(kind(5), PTE_ABSENT);
	assert_int_equal(*touchable(5), 0);
	assert_int_equal(kind(5), PTE_LEAF);
	assert_int_equal(counters().missing, 1);
	assert_int_equal(counters().minor, 0);
	assert_int_equal(counters().zero_filled, 1);
	assert_int_equal(counters().resident, 1);
	assert_int_equal(stage2_measured_bytes(s2), PAGE_SIZE);
	stop();
}

static void touch_of_an_unmapped_page_is_minor(void **state)
{
	(void)state;
	start((struct options){ 0 });
	*touchable(FAR) = 42;
	assert_int_equal(stage2_unmap(s2, gfn(FAR)), 0);
	assert_int_equal(kind(FAR), PTE_UNMAPPED);
	assert_int_equal(*touchable(FAR), 42);
	assert_int_equal(kind(FAR), PTE_LEAF);
	assert_int_equal(counters().minor, 1);
	assert_int_equal(counters().missing, 1);
	stop();
}

static void evicted_page_comes_back_as_it_was(void **state)
{
	(void)state;
	start((struct options){ 0 });
	*touchable(3) = 43;
	assert_int_equal(stage2_evict(s2, gfn(3)), 0);
	assert_int_equal(kind(3), PTE_STORED);
	assert_int_equal(stage2_measured_bytes(s2), 0);
	assert_int_equal(*touchable(3), 43);
	assert_int_equal(counters().missing, 2);
	assert_int_equal(counters().swapped_out, 1);
	assert_int_equal(counters().swapped_in, 1);
	stop();
}

static void clean_page_leaves_for_free(void **state)
{
	(void)state;
	start((struct options){ 0 });
	*touchable(3) = 43;
	assert_int_equal(stage2_evict(s2, gfn(3)), 0);
	assert_int_equal(*touchable(3), 43);
	assert_int_equal(stage2_evict(s2, gfn(3)), 0);
	assert_int_equal(counters().clean_dropped, 1);
	assert_int_equal(counters().swapped_out, 1);
	*touchable(3) = 44; /* dirty now: the copy is replaced */
	assert_int_equal(stage2_evict(s2, gfn(3)), 0);
	assert_int_equal(counters().swapped_out, 2);
	assert_int_equal(swap_slots_used(swap), 1);
	assert_int_equal(*touchable(3), 44);
	stop();
}

static void zero_page_leaves_no_copy(void **state)
{
	(void)state;
	start((struct options){ 0 });
	*touchable(9) = 1;
	assert_int_equal(stage2_evict(s2, gfn(9)), 0);
	*touchable(9) = 0;
	assert_int_equal(stage2_evict(s2, gfn(9)), 0);
	assert_int_equal(kind(9), PTE_ABSENT);
	assert_int_equal(counters().zero_elided, 1);
	assert_int_equal(swap_slots_used(swap), 0);
	assert_int_equal(*touchable(9), 0);
	stop();
}

static void evict_says_what_it_cannot(void **state)
{
	(void)state;
	start((struct options){ 0 });
	assert_int_equal(stage2_evict(s2, (gfn_t){ PAGES / 2 }), -EFAULT);
	assert_int_equal(stage2_unmap(s2, (gfn_t){ PAGES / 2 }), -EFAULT);
	assert_int_equal(stage2_evict(s2, gfn(7)), 0); /* absent: is out */
	assert_int_equal(stage2_unmap(s2, gfn(7)), -EBUSY);
	stop();
}

/* 1, 16, 32, 64: a fault a window. A toucher quicker than the server faults
 * inside a window too, where the page is found on its way. */
static void sequential_touch_is_mapped_ahead(void **state)
{
	(void)state;
	start((struct options){ 0 });
	for (uint64_t i = 0; i < 200; i++)
		*touchable(i) = i;
	assert_in_range(counters().missing, 6, 50);
	assert_in_range(counters().mapped_ahead, 190, PAGES - 6);
	assert_true(counters().zero_filled >= 200);
	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(*touchable(i), i);
	stop();
}

/* A window under way may map the page ahead once more: then it is busy. */
static void evict_unless_busy(uint64_t page)
{
	int r;

	while ((r = stage2_evict(s2, gfn(page))) == -EBUSY)
		usleep(100);
	assert_int_equal(r, 0);
}

/* Pages that left one after the other come back so. */
static void sequential_touch_is_fetched_ahead(void **state)
{
	(void)state;
	start((struct options){ 0 });
	for (uint64_t i = 0; i < 200; i++)
		*touchable(i) = i + 1;
	for (uint64_t i = 0; i < 200; i++)
		evict_unless_busy(i);
	uint64_t faults = counters().missing;

	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(*touchable(i), i + 1);
	/* Some may have come back before, on a window still under way. */
	assert_int_equal(counters().swapped_in, 200);
	assert_true(counters().missing - faults < 50);
	stop();
}

static void guest_memory_is_checked_and_brought_in(void **state)
{
	char text[] = "across two pages", got[sizeof(text)] = "";
	gpa_t at = { 3 * PAGE_SIZE - 5 };

	(void)state;
	start((struct options){ 0 });
	assert_true(guest_write(s2, at, text, sizeof(text)));
	assert_int_equal(stage2_evict(s2, gfn(2)), 0);
	assert_int_equal(stage2_evict(s2, gfn(3)), 0);
	assert_true(guest_read(s2, at, got, sizeof(got)));
	assert_string_equal(got, text);
	assert_int_equal(counters().missing, 0); /* no fault of the guest's */
	assert_int_equal(counters().swapped_in, 2);
	at.v = PAGES / 2 * PAGE_SIZE - 1;
	assert_true(guest_read(s2, at, got, 1));
	assert_false(guest_read(s2, at, got, 2));
	at.v = UINT64_MAX - 3;
	assert_false(guest_read(s2, at, got, 8));
	assert_true(guest_read(s2, at, got, 0));
	stop();
}

static void file_pages_are_read_when_touched(void **state)
{
	(void)state;
	rewind(file);
	for (unsigned i = 0; i < 10000; i++)
		fputc((int)(i % 251), file);
	fflush(file);
	start((struct options){ .extent = { .at = { 0x10100 },
					    .bytes = 9000,
					    .fd = fileno(file),
					    .offset = 50 } });
	assert_int_equal(counters().file_filled, 0);
	const volatile uint8_t *page = stage2_host(s2, (gfn_t){ 0x10 });

	assert_int_equal(page[0xff], 0); /* before the extent */
	assert_int_equal(page[0x100], 50);
	assert_int_equal(page[0x100 + 8999], (50 + 8999) % 251);
	assert_int_equal(page[0x100 + 9000], 0); /* behind it */
	assert_int_equal(counters().file_filled, 2); /* pages 0x10 and 0x12 */
	stop();
}

static void damaged_copy_never_comes_back(void **state)
{
	uint64_t got = 0;

	(void)state;
	start((struct options){ .flip = 2 });
	*touchable(1) = 11;
	*touchable(1 + FAR) = 12;
	assert_int_equal(stage2_evict(s2, gfn(1)), 0);
	assert_int_equal(stage2_evict(s2, gfn(1 + FAR)), 0);
	assert_int_equal(*touchable(1), 11);
	assert_false(guest_read(s2, gpa_of(gfn(1 + FAR)), &got, sizeof(got)));
	assert_int_equal(got, 0);
	assert_int_equal(failures, 1);
	assert_int_equal(last_failure.what, FAILURE_LOAD);
	assert_int_equal(last_failure.error, -EBADMSG);
	assert_int_equal(last_failure.gfn.v, 1 + FAR);
	assert_true(last_failure.stored);
	assert_string_equal(last_failure.source, "ram");
	assert_int_equal(kind(1 + FAR), PTE_STORED);
	stop();
}

static int open_file(void **state)
{
	(void)state;
	file = tmpfile();
	return file ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_touch_is_missing_and_zero),
		cmocka_unit_test(touch_of_an_unmapped_page_is_minor),
		cmocka_unit_test(evicted_page_comes_back_as_it_was),
		cmocka_unit_test(clean_page_leaves_for_free),
		cmocka_unit_test(zero_page_leaves_no_copy),
		cmocka_unit_test(evict_says_what_it_cannot),
		cmocka_unit_test(sequential_touch_is_mapped_ahead),
		cmocka_unit_test(sequential_touch_is_fetched_ahead),
		cmocka_unit_test(guest_memory_is_checked_and_brought_in),
		cmocka_unit_test(file_pages_are_read_when_touched),
		cmocka_unit_test(damaged_copy_never_comes_back),
	};

	return may_watch() ? cmocka_run_group_tests(tests, open_file, NULL) : 0;
}
