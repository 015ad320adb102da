/* SPDX-License-Identifier: MIT */
/* Reclaim works in bulk: between two marks, in batches, in runs of frames. */
#include <sys/mman.h>

#include "ept/guest_mem.h"
#include "tests/unit/stage2_fixture.h"

#define CAP	448
#define LOW	32 /* of so small a cap */
#define HIGH	(2 * LOW)
#define VICTIMS (PAGES - (CAP - HIGH))

static _Atomic unsigned punches, flushes;
static _Atomic bool counting;

int __real_fallocate(int fd, int mode, off_t at, off_t len);
int __wrap_fallocate(int fd, int mode, off_t at, off_t len);
int __real_madvise(void *at, size_t len, int advice);
int __wrap_madvise(void *at, size_t len, int advice);

int __wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
	punches += counting;
	return __real_fallocate(fd, mode, at, len);
}

int __wrap_madvise(void *at, size_t len, int advice)
{
	flushes += counting;
	return __real_madvise(at, len, advice);
}

/* Calls for a store or a load so far; each takes a microsecond more. */
static uint64_t calls(void)
{
	struct inject_counters c;
	struct injection now;

	tier_injected(tier, &now, &c);
	return c.delayed;
}

static void bring(uint64_t page)
{
	uint64_t got;

	assert_true(guest_read(s2, gpa_of(gfn(page)), &got, sizeof(got)));
	assert_int_equal(got, page + 1);
}

/* @i with its 6 lowest bits turned round: each 64 pages in no order. */
static uint64_t shuffled(uint64_t i)
{
	uint64_t r = i & ~UINT64_C(63);

	for (unsigned bit = 0; bit < 6; bit++)
		r |= (i >> bit & 1) << (5 - bit);
	return r;
}

/* All of memory is used, the first quarter in no order; then the cap falls. */
static int begin(void **state)
{
	(void)state;
	start((struct options){ .policy = &policy_fifo });
	for (uint64_t i = 0; i < PAGES; i++) {
		const uint64_t page = i < VICTIMS ? shuffled(i) : i;
		const uint64_t words[] = { page + 1, ~page };

		assert_true(guest_write(s2, gpa_of(gfn(page)), words,
					sizeof(words)));
	}
	tier_inject(tier, &(struct injection){ .delay = INJECT_FIXED,
					       .delay_us = 1 });
	punches = flushes = 0;
	counting = true;
	stage2_set_limit(s2, CAP);
	while (counters().resident > CAP - HIGH)
		usleep(100);
	counting = false;
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(failures, 0);
	stop();
	return 0;
}

/* It goes on up to the high mark, and begins again at the low one. */
static void it_begins_and_ends_at_marks(void **state)
{
	(void)state;
	assert_int_equal(counters().swapped_out, VICTIMS);
	for (unsigned i = 0; i < LOW; i++)
		bring(i);
	stage2_set_limit(s2, CAP); /* it looks whether there is work */
	usleep(10000);
	assert_int_equal(counters().resident, CAP - LOW);
	bring(LOW);
	while (counters().resident > CAP - HIGH)
		usleep(100);
	assert_int_equal(counters().swapped_out + counters().clean_dropped,
			 VICTIMS + LOW + 1);
}

/* Sorted, each batch of the first quarter of memory is one run. */
static void a_batch_is_a_store_and_runs_are_one_call(void **state)
{
	(void)state;
	assert_int_equal(VICTIMS, 2 * TIER_BATCH);
	assert_int_equal(calls(), 2);
	assert_int_equal(punches, 2);
	assert_in_range(flushes, 2, VICTIMS / 2); /* some runs are in part */
	for (uint64_t page = 0; page < VICTIMS; page++)
		assert_int_equal(kind(page), PTE_STORED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_begins_and_ends_at_marks,
						begin, end),
		cmocka_unit_test_setup_teardown(
			a_batch_is_a_store_and_runs_are_one_call, begin, end),
	};

	return may_watch()
		       ? cmocka_run_group_tests_name("batch", tests, NULL, NULL)
		       : 0;
}
