/* SPDX-License-Identifier: MIT */
/* Swap when tiers are full, fail or lie: for every N, the Nth time. Never
 * wrong bytes, nothing leaked, and the page elsewhere or still here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <time.h>
#include <cmocka.h>

#include "ept/rest.h"
#include "tests/unit/ept_swap_fixture.h"

static void check_pages(struct swap *s, uint64_t first, uint64_t second)
{
	struct tier_stats st;

	swap_tier_stats(s, 0, &st);
	assert_int_equal(st.pages, first);
	swap_tier_stats(s, 1, &st);
	assert_int_equal(st.pages, second);
}

static void a_full_tier_spills_into_the_next(void **state)
{
	struct fake *small = fake_new(4), *large = fake_new(8);
	struct swap *s = swap_over(&small->base, &large->base, 0);
	struct set p = set_new(PAGES);

	(void)state;
	swap_store(s, p.io, 10);
	check_pages(s, 4, 6);
	swap_store(s, p.io + 10, 6);
	check_pages(s, 4, 8);
	assert_int_equal(ended(&p, 0), 12);
	assert_int_equal(ended(&p, -ENOSPC), 4);
	assert_int_equal(swap_slots_used(s), 12);
	p.n = 12;
	set_load(s, &p);
	assert_int_equal(ended(&p, 0), 12);
	finish(s, &p, 0xfff);
}

/* Real tiers: text stays in RAM, noise goes to the file. */
static void what_does_not_pay_goes_to_the_next(void **state)
{
	struct tier *ram, *file;
	struct set p = set_new(PAGES);
	struct swap *s;

	(void)state;
	assert_int_equal(tier_ram_create(&ram, 1 << 20, CODEC_LZ4), 0);
	assert_int_equal(tier_file_create(&file, "/dev/shm", 1 << 20), 0);
	s = swap_over(ram, file, 0);
	page_random(p.out + 2 * PAGE_SIZE, 2);
	page_random(p.out + 9 * PAGE_SIZE, 9);
	swap_store(s, p.io, PAGES);
	assert_int_equal(ended(&p, 0), PAGES);
	check_pages(s, PAGES - 2, 2);
	assert_string_equal(swap_tier_name(s, p.io[1].slot), "ram");
	assert_string_equal(swap_tier_name(s, p.io[2].slot), "file");
	assert_string_equal(swap_tier_name(s, p.io[9].slot), "file");
	set_load(s, &p);
	assert_int_equal(ended(&p, 0), PAGES);
	finish(s, &p, 0xffff);
}

static void the_last_tier_takes_what_does_not_pay(void **state)
{
	struct fake *f = fake_new(64);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(PAGES);

	(void)state;
	f->picky = true;
	swap_store(s, p.io, PAGES);
	assert_int_equal(ended(&p, 0), PAGES);
	finish(s, &p, 0xffff);
}

static void without_tiers_nothing_is_stored(void **state)
{
	struct swap *s = swap_over(NULL, NULL, 0);
	struct set p = set_new(PAGES);

	(void)state;
	assert_int_equal(swap_tiers(s), 0);
	swap_store(s, p.io, PAGES);
	assert_int_equal(ended(&p, -ENOSPC), PAGES);
	finish(s, &p, 0);
}

/* For every N: the Nth store fails. That page alone stays, slotless. */
static void any_store_may_fail(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		struct fake *f = fake_new(64);
		struct swap *s = swap_over(&f->base, NULL, 0);
		struct set p = set_new(PAGES);
		uint64_t stored = 0xffff & ~(UINT64_C(1) << (nth - 1));

		f->fail_store = nth;
		swap_store(s, p.io, PAGES);
		assert_int_equal(ended(&p, 0), PAGES - 1);
		assert_int_equal(p.io[nth - 1].error, -EIO);
		assert_int_equal(swap_slots_used(s), PAGES - 1);
		assert_int_equal(f->held, PAGES - 1);
		p.io[nth - 1].slot.v = UINT64_MAX; /* we keep none */
		set_load(s, &p);
		assert_int_equal(ended(&p, 0), PAGES - 1);
		finish(s, &p, stored);
	}
}

/* The same with a second tier: it takes the page. */
static void a_failing_store_goes_to_the_next(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		struct fake *f = fake_new(64), *second = fake_new(64);
		struct swap *s = swap_over(&f->base, &second->base, 0);
		struct set p = set_new(PAGES);

		f->fail_store = nth;
		swap_store(s, p.io, PAGES);
		assert_int_equal(ended(&p, 0), PAGES);
		check_pages(s, PAGES - 1, 1);
		set_load(s, &p);
		assert_int_equal(ended(&p, 0), PAGES);
		finish(s, &p, 0xffff);
	}
}

/* For every N: the Nth load fails once, and its second try does not. */
static void any_load_may_fail_once(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		struct fake *f = fake_new(64);
		struct swap *s = swap_over(&f->base, NULL, 0);
		struct set p = set_new(PAGES);

		f->fail_load = nth;
		swap_store(s, p.io, PAGES);
		set_load(s, &p);
		assert_int_equal(ended(&p, 0), PAGES);
		assert_int_equal(f->loads, PAGES + 1);
		finish(s, &p, 0xffff);
	}
}

/* For every N: the Nth load says it succeeded and delivers rubbish. */
static void any_load_may_lie_once(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		struct fake *f = fake_new(64);
		struct swap *s = swap_over(&f->base, NULL, 0);
		struct set p = set_new(PAGES);

		f->lie_load = nth;
		swap_store(s, p.io, PAGES);
		set_load(s, &p);
		assert_int_equal(ended(&p, 0), PAGES);
		assert_int_equal(f->loads, PAGES + 1);
		finish(s, &p, 0xffff);
	}
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void a_broken_medium_is_tried_four_times(void **state)
{
	struct fake *f = fake_new(64);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(1);
	uint64_t start = now_ms();

	(void)state;
	swap_store(s, p.io, 1);
	f->broken = true;
	set_load(s, &p);
	assert_int_equal(p.io[0].error, -EIO);
	assert_int_equal(f->loads, 4);
	assert_in_range(now_ms() - start, 1110, 5000);
	finish(s, &p, 1);
}

/* Threads with pages of their own, over real tiers that overflow. Errors are
 * counted: cmocka belongs to the main thread. */
struct worker {
	struct swap *swap;
	uint64_t gfn;
	unsigned wrong, failed;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct set p = set_new(PAGES);

	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < PAGES; i++) {
			uint8_t *page = p.out + i * PAGE_SIZE;

			page_mixed(page, w->gfn);
			p.io[i].page = page;
			p.io[i].gfn.v = w->gfn++;
		}
		swap_store(w->swap, p.io, PAGES);
		w->failed += ended(&p, 0) != PAGES;
		for (unsigned i = 0; i < PAGES; i++) {
			w->failed += !swap_same(w->swap, p.io[i].slot,
						p.io[i].gfn, p.io[i].page);
			p.io[i].page = p.in + i * PAGE_SIZE;
		}
		swap_load(w->swap, p.io, PAGES);
		w->failed += ended(&p, 0) != PAGES;
		w->wrong += memcmp(p.in, p.out, PAGES * PAGE_SIZE) != 0;
		for (unsigned i = 0; i < PAGES; i++)
			swap_release(w->swap, p.io[i].slot);
	}
	set_free(&p);
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct set none = { .n = 0 };
	struct tier *ram, *file;
	struct worker w[5];
	pthread_t thread[5];
	struct swap *s;

	(void)state;
	assert_int_equal(tier_ram_create(&ram, 64 << 10, CODEC_ZSTD), 0);
	assert_int_equal(tier_file_create(&file, "/dev/shm", 1 << 20), 0);
	s = swap_over(ram, file, 0);
	for (unsigned i = 0; i < 5; i++) {
		w[i] = (struct worker){ s, i * 10000, 0, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]),
				 0);
	}
	for (unsigned i = 0; i < 5; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].failed, 0);
		assert_int_equal(w[i].wrong, 0);
	}
	finish(s, &none, 0);
}

static void note(void *ctx, const char *tier, int error)
{
	int *news = ctx;

	assert_string_equal(tier, "fake");
	news[0]++;
	news[1] = error;
}

/* Batches, many more than there is patience for: a few are asked for whole,
 * then single pages, each rest twice as long. The limit is seven rests more
 * than that: ten seconds. */
static void failing(struct swap *s, struct fake *f, struct set *p, int error)
{
	const unsigned before = f->stores;

	f->ill = error;
	for (unsigned i = 0; i < 100; i++) {
		swap_store(s, p->io, PAGES);
		assert_int_equal(ended(p, error), PAGES);
	}
	assert_in_range(f->stores - before, REST_AFTER * PAGES,
			REST_AFTER * PAGES + 7);
	f->ill = 0;
}

/* One page tries its luck when it is said that it may; the rest can follow. */
static void mended(struct swap *s, struct set *p, int error)
{
	swap_retry(s);
	swap_store(s, p->io, PAGES);
	assert_int_equal(ended(p, 0), 1);
	assert_int_equal(ended(p, error), PAGES - 1);
	swap_release(s, p->io[0].slot);
	swap_store(s, p->io, PAGES);
	assert_int_equal(ended(p, 0), PAGES);
	for (unsigned i = 0; i < PAGES; i++)
		swap_release(s, p->io[i].slot);
}

static void a_tier_that_only_fails_is_left_alone(void **state)
{
	struct fake *f = fake_new(64);
	int news[2] = { 0 };
	struct swap_config c = { .tier = { &f->base },
				 .tiers = 1,
				 .pages = 1024,
				 .told = note,
				 .ctx = news };
	struct set p = set_new(PAGES);
	struct swap *s;

	(void)state;
	assert_int_equal(swap_create(&s, &c), 0);
	for (unsigned i = 1; i <= 2; i++) {
		int error = i == 1 ? -EIO : -ENOSPC; /* it says it has room */

		failing(s, f, &p, error);
		assert_int_equal(news[0], 2 * i - 1);
		assert_int_equal(news[1], error);
		mended(s, &p, error);
		assert_int_equal(news[0], 2 * i);
		assert_int_equal(news[1], 0);
	}
	finish(s, &p, 0);
}

/* Being full is no failure: a place that comes free is used at once. */
static void a_full_tier_gets_no_rest(void **state)
{
	struct fake *f = fake_new(PAGES);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(2 * PAGES);

	(void)state;
	swap_store(s, p.io, PAGES);
	for (unsigned i = 0; i < 2 * REST_AFTER; i++)
		swap_store(s, p.io + PAGES, PAGES);
	assert_int_equal(ended(&p, -ENOSPC), PAGES);
	swap_release(s, p.io[0].slot);
	swap_store(s, p.io + PAGES, PAGES);
	assert_int_equal(p.io[PAGES].error, 0);
	finish(s, &p, 0x1fffe);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_tier_spills_into_the_next),
		cmocka_unit_test(what_does_not_pay_goes_to_the_next),
		cmocka_unit_test(the_last_tier_takes_what_does_not_pay),
		cmocka_unit_test(without_tiers_nothing_is_stored),
		cmocka_unit_test(any_store_may_fail),
		cmocka_unit_test(a_failing_store_goes_to_the_next),
		cmocka_unit_test(any_load_may_fail_once),
		cmocka_unit_test(any_load_may_lie_once),
		cmocka_unit_test(a_broken_medium_is_tried_four_times),
		cmocka_unit_test(a_tier_that_only_fails_is_left_alone),
		cmocka_unit_test(a_full_tier_gets_no_rest),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests_name("swap faults", tests, NULL, NULL);
}
