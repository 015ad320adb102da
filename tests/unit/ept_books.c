/* SPDX-License-Identifier: MIT */
/*
 * What stage 2 keeps about RAM that was touched, as the kernel counts: at most
 * 0.5 % of it. One page in each 2 MiB stands for all: it needs the table that
 * its 511 neighbours are in, and in every array it lies in the same host page
 * as they do. tests/bench/books touches each.
 */
#include <stdlib.h>
#include <string.h>

#include "ept/evict.h"
#include "ept/haul.h"
#include "ept/record.h"
#include "tests/unit/stage2_fixture.h"

/* Of sanitizers, which keep memory of their own about ours. */
void __asan_init(void) __attribute__((weak));
void __tsan_init(void) __attribute__((weak));

/* Of this process, bytes: page by page, where RssAnon is only about right. */
static uint64_t private_bytes(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[128];
	uint64_t kib = 0;

	assert_non_null(f);
	while (!kib && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Anonymous:", 10))
			kib = strtoull(line + 10, NULL, 10);
	fclose(f);
	assert_int_not_equal(kib, 0);
	return kib << 10;
}

static void create(uint64_t pages, const struct policy_ops *policy)
{
	struct stage2_config c = {
		.region = { { { 0 }, pages } },
		.regions = 1,
		.limit = pages,
		.policy = policy,
		.swap = swap,
		.paging = true,
		.vcpus = 1,
		.failed = on_failure,
	};

	half = pages;
	assert_int_equal(stage2_create(&s2, &c), 0);
}

/* The same word all over, so that swap has a record for it and no copy. */
static void touch_each(uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i += LEVEL_ENTRIES)
		for (unsigned k = 0; k < PAGE_SIZE / sizeof(i); k++)
			touchable(i)[k] = i + 1;
}

static void evict_each(uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i += LEVEL_ENTRIES)
		assert_int_equal(stage2_evict(s2, gfn(i)), 0);
}

/* The flight recorder is full, and nobody needs a buffer any more. */
static void come_to_rest(void)
{
	struct history *h = &s2->observer.history;
	const struct timespec pause = { .tv_nsec = 1000000 };

	pthread_mutex_lock(&s2->lock);
	while (history_lost(h) == 0)
		history_note(h, &(struct history_event){ .what = HISTORY_AGE });
	while (s2->batch->used || s2->faults.server[0].haul->used) {
		pthread_mutex_unlock(&s2->lock);
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&s2->lock);
	}
	pthread_mutex_unlock(&s2->lock);
}

/* What stage 2 keeps about @mib of RAM that was touched; when @swapped, after
 * each page was in swap as well. */
static void kept(uint64_t mib, bool swapped, const struct policy_ops *policy)
{
	const uint64_t pages = mib << 8;
	struct swap_config sc = { .tiers = 1 };
	uint64_t before, after;

	assert_int_equal(tier_ram_create(&sc.tier[0], 0, CODEC_LZ4), 0);
	assert_int_equal(swap_create(&swap, &sc), 0);
	before = private_bytes();
	create(pages, policy);
	touch_each(pages);
	if (swapped) {
		evict_each(pages);
		touch_each(pages);
		assert_int_equal(counters().swapped_in, pages / LEVEL_ENTRIES);
	}
	come_to_rest();
	after = private_bytes() - swap_slots_used(swap) * sizeof(struct record);
	printf("%lu MiB: %.3f %%\n", mib,
	       100. * (double)(after - before) / (double)(mib << 20));
	assert_in_range(after - before, 1, (mib << 20) / 200);
	stop();
}

static void little_is_kept_about_small_ram(void **state)
{
	(void)state;
	kept(64, false, &policy_clock);
}

static void little_is_kept_about_ram(void **state)
{
	(void)state;
	kept(1024, false, &policy_clock);
}

static void little_is_kept_about_large_ram(void **state)
{
	(void)state;
	kept(16384, false, &policy_clock);
}

/* With the policy that keeps most, and all that swap leaves behind. */
static void little_is_kept_about_ram_that_was_swapped(void **state)
{
	(void)state;
	kept(1024, true, &policy_s3fifo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_is_kept_about_small_ram),
		cmocka_unit_test(little_is_kept_about_ram),
		cmocka_unit_test(little_is_kept_about_large_ram),
		cmocka_unit_test(little_is_kept_about_ram_that_was_swapped),
	};

	if (!may_watch())
		return 0;
	if (__asan_init || __tsan_init) {
		printf("SKIP (a sanitizer's memory would be counted)\n");
		return 0;
	}
	return cmocka_run_group_tests_name("books", tests, NULL, NULL);
}
