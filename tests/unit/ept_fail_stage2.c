/* SPDX-License-Identifier: MIT */
/*
 * Every I/O call of a stage 2 at work goes wrong once, in one way or another:
 * its image is a file, its swap too, and memory is short. The guest goes on,
 * perhaps after its owner was told and said "retry"; or stage 2 is not made,
 * with a clean error. Never other bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/fail_fixture.h"

#include "ept/stage2.h"
#include "tests/unit/ept_pages.h"

#define RAM_PAGES 32
#define LIMIT	  8
#define IMAGE	  6 /* pages of it are in the file */
#define PLACES	  48

static struct stage2 *s2;
static unsigned told;

/* The owner is told, and has it tried again. */
static void on_failure(void *ctx, const struct stage2_failure *f)
{
	(void)ctx;
	assert_true(f->error <= 0);
	__atomic_add_fetch(&told, 1, __ATOMIC_SEQ_CST);
	stage2_retry(s2);
}

static void page_of_image(void *page, unsigned i)
{
	page_mixed(page, 1000 + i);
}

static int image_open(void)
{
	char path[] = "/tmp/twofold-XXXXXX";
	int fd = mkstemp(path);
	uint8_t page[PAGE_SIZE];

	assert_true(fd >= 0);
	unlink(path);
	for (unsigned i = 0; i < IMAGE; i++) {
		page_of_image(page, i);
		assert_int_equal(
			__real_pwrite(fd, page, PAGE_SIZE, i * PAGE_SIZE),
			PAGE_SIZE);
	}
	return fd;
}

static int make(struct swap **swap, int image)
{
	struct file_extent extent = { .bytes = IMAGE * PAGE_SIZE, .fd = image };
	struct swap_config sc = { .tiers = 1, .pages = RAM_PAGES };
	struct stage2_config c = { .region = { { { 0 }, RAM_PAGES } },
				   .regions = 1,
				   .limit = LIMIT,
				   .policy = &policy_clock,
				   .extent = &extent,
				   .extents = 1,
				   .paging = true,
				   .vcpus = 1,
				   .failed = on_failure };
	int r = tier_file_create(&sc.tier[0], "/dev/shm", PLACES * PAGE_SIZE);

	if (r)
		return r;
	r = swap_create(swap, &sc);
	if (r) {
		sc.tier[0]->ops->destroy(sc.tier[0]);
		return r;
	}
	c.swap = *swap;
	r = stage2_create(&s2, &c);
	if (r)
		swap_destroy(*swap);
	return r;
}

static uint8_t *host(unsigned page)
{
	return stage2_host(s2, (gfn_t){ page });
}

static void what_is_there(void *page, unsigned i, unsigned version)
{
	if (version == 0 && i < IMAGE)
		page_of_image(page, i);
	else if (version == 0)
		memset(page, 0, PAGE_SIZE);
	else
		page_mixed(page, version * RAM_PAGES + i);
}

/* What the guest wrote last is what it reads. */
static void live(void)
{
	uint8_t page[PAGE_SIZE];

	for (unsigned version = 0; version < 2; version++)
		for (unsigned i = 0; i < RAM_PAGES; i++) {
			what_is_there(page, i, version);
			assert_memory_equal(host(i), page, PAGE_SIZE);
			page_mixed(host(i), (version + 1) * RAM_PAGES + i);
		}
}

static unsigned run(unsigned nth, enum fault fault)
{
	int image = image_open();
	struct swap *swap;
	int r;

	io_seam = (struct seam){ .nth = nth, .fault = fault };
	r = make(&swap, image);
	if (r) {
		assert_true(r < 0);
		close(image);
		return io_seam.calls;
	}
	live();
	io_seam.nth = 0;
	stage2_stop(s2);
	stage2_destroy(s2);
	assert_int_equal(swap_slots_used(swap), 0);
	swap_destroy(swap);
	return io_seam.calls;
}

static void any_call_may_fail(void **state)
{
	static const enum fault hard[] = { NO_SPACE, IO_ERROR, TRY_AGAIN };
	unsigned calls = run(0, 0);

	(void)state;
	told = 0;
	/* One way a call, in turn: to make a stage 2 takes a while. */
	for (unsigned nth = 1; nth <= calls; nth++)
		run(nth, hard[nth % 3]);
	assert_true(calls > 50);
	assert_true(told > 0);
}

/* What is interrupted, or moves less than it was asked to, is gone on with: no
 * owner hears of it; nor that all frames are in use for a moment. */
static void any_call_may_stop_short(void **state)
{
	unsigned calls = run(0, 0);

	(void)state;
	told = 0;
	for (unsigned nth = 1; nth <= calls; nth++) {
		run(nth, INTERRUPTED);
		run(nth, SHORT);
		if (told)
			fail_msg("call %u of %u", nth, calls);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_call_may_fail),
		cmocka_unit_test(any_call_may_stop_short),
	};

	return cmocka_run_group_tests_name("fail", tests, NULL, NULL);
}
