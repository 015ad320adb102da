/* SPDX-License-Identifier: MIT */
/* Tiers: every one through the same cases. */
#include "tests/unit/tier_fixture.h"

#include <pthread.h>

static struct medium lz4 = { NULL, CODEC_LZ4 }, zstd = { NULL, CODEC_ZSTD };

#define RAM(t) TEST(t, lz4), TEST(t, zstd)

static void pages_come_back(void **state)
{
	static const unsigned batches[] = { 1, 2, 63, 64 };
	uint8_t *pages = pages_new(TIER_BATCH);
	struct tier *t = tier_on(state, 500);
	struct tier_io io[TIER_BATCH];

	for (unsigned b = 0; b < 4; b++) {
		unsigned n = batches[b];

		for (unsigned i = 0; i < n; i++)
			page_mixed(pages + i * PAGE_SIZE, b * 64 + i);
		assert_int_equal(store(t, io, pages, n, true), n);
		check_held(t, n);
		load_and_check(t, io, pages, n);
		for (unsigned i = n; i--;) /* again, one by one */
			load_and_check(t, &io[i], pages + i * PAGE_SIZE, 1);
		release(t, io, n);
		check_held(t, 0);
	}
	free(pages);
	tier_end(t);
}

static void the_room_is_exact(void **state)
{
	uint8_t *pages = pages_new(20);
	struct tier *t = tier_on(state, ROOM);
	struct tier_io io[20], more;

	for (unsigned i = 0; i < 20; i++)
		page_random(pages + i * PAGE_SIZE, i);
	assert_int_equal(store(t, io, pages, 20, true), ROOM);
	assert_int_equal(ended(io, 20, -ENOSPC), 20 - ROOM);
	check_held(t, ROOM);
	assert_int_equal(store(t, &more, pages, 1, true), 0);
	assert_int_equal(more.error, -ENOSPC);
	t->ops->release(t, io[5].where);
	assert_int_equal(store(t, &io[5], pages + 5 * PAGE_SIZE, 1, true), 1);
	assert_int_equal(store(t, &more, pages, 1, true), 0);
	load_and_check(t, io, pages, ROOM);
	release(t, io, 20);
	free(pages);
	tier_end(t);
}

static void what_does_not_pay_is_refused(void **state)
{
	const struct medium *m = *state;
	uint8_t *pages = pages_new(6);
	struct tier *t = tier_on(state, 500);
	struct tier_io io[6];

	for (unsigned i = 0; i < 6; i++)
		page_mixed(pages + i * PAGE_SIZE, i);
	assert_int_equal(store(t, io, pages, 6, false), m->path ? 6 : 4);
	assert_int_equal(ended(io, 6, -E2BIG), m->path ? 0 : 2);
	assert_int_equal(io[2].error, m->path ? 0 : -E2BIG);
	check_held(t, m->path ? 6 : 4);
	release(t, io, 6);
	free(pages);
	tier_end(t);
}

/* A thread with pages of its own; errors are counted, not asserted: cmocka
 * belongs to the main thread. */
struct worker {
	struct tier *tier;
	uint64_t seed;
	unsigned wrong, failed;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	uint8_t *out = pages_new(8), *in = pages_new(8);
	struct tier_io io[8];

	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 8; i++)
			page_mixed(out + i * PAGE_SIZE, w->seed++);
		w->failed += store(w->tier, io, out, 8, true) != 8;
		for (unsigned i = 0; i < 8; i++)
			io[i].page = in + i * PAGE_SIZE;
		w->tier->ops->load(w->tier, io, 8);
		w->failed += ended(io, 8, 0) != 8;
		w->wrong += memcmp(in, out, 8 * PAGE_SIZE) != 0;
		release(w->tier, io, 8);
	}
	free(out);
	free(in);
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct tier *t = tier_on(state, 500);
	struct worker w[6];
	pthread_t thread[6];

	for (unsigned i = 0; i < 6; i++) {
		w[i] = (struct worker){ .tier = t, .seed = i * 1000 };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]),
				 0);
	}
	for (unsigned i = 0; i < 6; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].failed, 0);
		assert_int_equal(w[i].wrong, 0);
	}
	tier_end(t);
}

/* A thousand zero pages would take 4 MiB; here each takes 32 bytes. */
static void zeros_take_little(void **state)
{
	uint8_t *page = pages_new(1);
	struct tier *t = tier_on(state, 2 * ROOM);
	struct tier_stats st;
	struct tier_io io[1000];

	memset(page, 0, PAGE_SIZE);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(store(t, &io[i], page, 1, false), 1);
	t->ops->stats(t, &st);
	assert_int_equal(st.pages, 1000);
	assert_int_equal(st.raw_bytes, 1000 * PAGE_SIZE);
	assert_int_equal(st.stored_bytes, 32 << 10);
	release(t, io, 1000);
	free(page);
	tier_end(t);
}

static void too_small_a_ram_tier_is_refused(void **state)
{
	struct tier *t;

	(void)state;
	assert_int_equal(tier_ram_create(&t, 4096, CODEC_LZ4), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RAM(pages_come_back),
		FILES(pages_come_back),
		RAM(the_room_is_exact),
		FILES(the_room_is_exact),
		RAM(what_does_not_pay_is_refused),
		FILES(what_does_not_pay_is_refused),
		RAM(threads_do_not_disturb_each_other),
		FILES(threads_do_not_disturb_each_other),
		RAM(zeros_take_little),
		cmocka_unit_test(too_small_a_ram_tier_is_refused),
	};

	return cmocka_run_group_tests_name("tier", tests, NULL, NULL);
}
