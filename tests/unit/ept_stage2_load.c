/* SPDX-License-Identifier: MIT */
/* Stage 2 under load: the cap, storms of faults, a full swap, policies that
 * change, references made visible. */
#include <pthread.h>

#include "tests/unit/stage2_fixture.h"

static uint64_t word(uint64_t page, uint64_t round)
{
	return ((page * UINT64_C(0x9e3779b97f4a7c15)) ^ (round << 56)) | 1;
}

/* A batch on its way out is punched first and counted then: what is measured
 * and what is counted agree when reclaim rests. */
static bool settled_counts(void)
{
	return stage2_measured_bytes(s2) >> PAGE_SHIFT == counters().resident;
}

/* Four times more pages than frames, three rounds of writing and reading. */
static void cap_holds(const struct policy_ops *policy, uint64_t step)
{
	start((struct options){ .limit = PAGES / 4, .policy = policy });
	for (uint64_t round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < PAGES; i++)
			touchable(i * step % PAGES)[i % 512] = word(i, round);
		for (uint64_t i = 0; i < PAGES; i++)
			assert_int_equal(touchable(i * step % PAGES)[i % 512],
					 word(i, round));
	}
	assert_true(counters().peak_bytes <= PAGES / 4 * PAGE_SIZE);
	assert_true(counters().peak_bytes >= PAGES / 8 * PAGE_SIZE);
	for (unsigned i = 0; i < 5000 && !settled_counts(); i++)
		usleep(1000);
	assert_true(settled_counts());
	assert_true(counters().swapped_out >= 2 * (PAGES - PAGES / 4));
	assert_int_equal(failures, 0);
	stop();
}

static void cap_is_never_passed(void **state)
{
	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		cap_holds(policies[i], 1);
		cap_holds(policies[i], 211); /* prime: a permutation */
	}
}

static void lowered_cap_takes_effect(void **state)
{
	(void)state;
	start((struct options){ 0 });
	for (uint64_t i = 0; i < PAGES; i++)
		*touchable(i) = i + 1;
	assert_int_equal(counters().resident, PAGES);
	stage2_set_limit(s2, 100);
	assert_true(stage2_wait_limit(s2, 10000));
	assert_true(stage2_measured_bytes(s2) <= 100 * PAGE_SIZE);
	for (uint64_t i = 0; i < PAGES; i++)
		assert_int_equal(*touchable(i), i + 1);
	stop();
}

static void *fill_noise(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < PAGES; i++)
		for (uint64_t w = 0, x = i + 1; w < 512; w++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			touchable(i)[w] = x;
		}
	return NULL;
}

static void wait_for_failures(unsigned n)
{
	while (__atomic_load_n(&failures, __ATOMIC_SEQ_CST) < n)
		usleep(1000);
}

/* A full swap is an event, the fault waits, and more memory ends the wait. */
static void full_swap_is_an_event(void **state)
{
	pthread_t writer;

	(void)state;
	start((struct options){ .limit = 128, .pool = 64 * PAGE_SIZE });
	pthread_create(&writer, NULL, fill_noise, NULL);
	wait_for_failures(1);
	assert_int_equal(last_failure.what, FAILURE_FULL);
	assert_int_equal(last_failure.error, -ENOSPC);
	stage2_retry(s2); /* nothing was repaired: it is told again */
	wait_for_failures(2);
	assert_true(counters().peak_bytes <= 128 * PAGE_SIZE);
	stage2_set_limit(s2, PAGES);
	pthread_join(writer, NULL);
	stop();
}

struct worker {
	pthread_t thread;
	unsigned index;
	uint64_t seed;
	uint64_t wrong;
};

#define WORKERS 3

/* Each worker owns every third page; its words count its own writes. */
static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t version[PAGES] = { 0 };

	for (unsigned i = 0; i < 4000; i++) {
		uint64_t page;

		w->seed = w->seed * UINT64_C(6364136223846793005) + 1;
		page = (w->seed >> 33) % (PAGES / WORKERS) * WORKERS + w->index;
		if (touchable(page)[page] != version[page])
			w->wrong++;
		if (w->seed >> 63)
			touchable(page)[page] = version[page] = i + 1;
	}
	return NULL;
}

/* Touches, evictions from two sides and a moving cap at once. */
static void nothing_is_lost_in_a_storm(void **state)
{
	struct worker w[WORKERS];
	uint64_t seed = 4711;

	(void)state;
	printf("seed %llu\n", (unsigned long long)seed);
	start((struct options){ .limit = 128 });
	for (unsigned i = 0; i < WORKERS; i++) {
		w[i] = (struct worker){ .index = i, .seed = seed + i };
		pthread_create(&w[i].thread, NULL, work, &w[i]);
	}
	for (unsigned i = 0; i < 3000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1;
		if (i % 3)
			stage2_evict(s2, gfn((seed >> 33) % PAGES));
		else
			stage2_unmap(s2, gfn((seed >> 33) % PAGES));
		if (i % 300 == 0)
			stage2_set_limit(s2, i % 600 ? 64 : 128);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(w[i].thread, NULL);
		assert_int_equal(w[i].wrong, 0);
	}
	assert_true(counters().peak_bytes <= 128 * PAGE_SIZE);
	stop();
}

/* A few pages are written all the time while others push them out. Chosen at
 * random they come under watch again while their last place in the queue is
 * not yet past: that place must not take them out unflushed. */
static void pages_in_use_lose_no_write(void **state)
{
	const uint64_t hot = 100;

	(void)state;
	start((struct options){ .limit = 256, .policy = &policy_random });
	for (uint64_t i = 0; i < 400 * hot; i++) {
		volatile uint64_t *at = touchable(i % hot);

		assert_int_equal(at[9], i / hot);
		at[9] = i / hot + 1;
		touchable(hot + i * 211 % (PAGES - hot))[3] = i;
	}
	assert_true(counters().minor > 0);
	stop();
}

/* While a large watch queue fills, as many pages wait for a flush as may. */
static void evict_finds_room_among_the_stale(void **state)
{
	const uint64_t pages = 16384;

	(void)state;
	start((struct options){ .pages = 2 * pages });
	for (uint64_t i = 0; i < pages; i++)
		*(volatile uint64_t *)stage2_host(s2, (gfn_t){ i }) = i + 1;
	for (uint64_t limit = pages; limit > pages / 2; limit -= 512) {
		stage2_set_limit(s2, limit);
		assert_true(stage2_wait_limit(s2, 10000));
		for (uint64_t g = pages - 8; g < pages; g++)
			stage2_evict(s2, (gfn_t){ g });
		for (uint64_t g = pages - 8; g < pages; g++)
			assert_int_equal(*(volatile uint64_t *)stage2_host(
						 s2, (gfn_t){ g }),
					 g + 1);
	}
	stop();
}

/* Whoever says who leaves, and however often that changes: nothing is lost. */
static void policies_change_under_load(void **state)
{
	struct worker w = { .seed = 7 };
	unsigned kinds = 0, changes = 0;

	(void)state;
	while (policies[kinds])
		kinds++;
	start((struct options){ .limit = 96 });
	pthread_create(&w.thread, NULL, work, &w);
	while (pthread_tryjoin_np(w.thread, NULL)) {
		const struct policy_ops *p = policies[changes++ % kinds];

		assert_int_equal(stage2_set_policy(s2, p), 0);
		assert_string_equal(stage2_policy(s2), p->name);
		usleep(500);
	}
	assert_true(changes > kinds);
	assert_int_equal(w.wrong, 0);
	assert_true(counters().peak_bytes <= 96 * PAGE_SIZE);
	stop();
}

/* A page in use shows it in each period. */
static void references_become_visible(void **state)
{
	(void)state;
	start((struct options){ .refs_ms = 5 });
	for (unsigned i = 0; i < 5000 && counters().minor < 20; i++) {
		*touchable(1) = i;
		usleep(1000);
	}
	assert_true(counters().minor >= 20);
	assert_int_equal(counters().missing, 1);
	assert_int_equal(counters().mapped_ahead, 0);
	stop();
}

/* 512 pages are few: all are sampled, and each is seen once more after it was
 * unmapped. */
static void ghosts_see_what_the_sampler_shows(void **state)
{
	struct shadow_report shadow = { 0 };
	struct mrc_report mrc = { 0 };

	(void)state;
	start((struct options){ .limit = 256 });
	while (!stage2_shadow(s2, &shadow))
		usleep(1000);
	for (unsigned i = 0; i < 5000 && counters().minor < 100; i++) {
		for (uint64_t page = 0; page < 200; page++)
			*touchable(page) = page;
		usleep(1000);
	}
	assert_true(counters().minor >= 100);
	assert_true(stage2_shadow(s2, &shadow));
	assert_true(stage2_mrc(s2, &mrc));
	assert_int_equal(shadow.sampled, PAGES);
	assert_true(shadow.references.sampled >= 200 + 100);
	assert_int_equal(mrc.references.sampled, shadow.references.sampled);
	assert_int_equal(mrc.first.sampled, mrc.point[15].misses.sampled);
	assert_in_range(mrc.first.sampled, 200, 200 + 256);
	for (unsigned i = 0; i < shadow.policies; i++)
		assert_in_range(shadow.policy[i].misses.sampled,
				mrc.first.sampled, shadow.references.sampled);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cap_is_never_passed),
		cmocka_unit_test(lowered_cap_takes_effect),
		cmocka_unit_test(full_swap_is_an_event),
		cmocka_unit_test(nothing_is_lost_in_a_storm),
		cmocka_unit_test(pages_in_use_lose_no_write),
		cmocka_unit_test(evict_finds_room_among_the_stale),
		cmocka_unit_test(policies_change_under_load),
		cmocka_unit_test(references_become_visible),
		cmocka_unit_test(ghosts_see_what_the_sampler_shows),
	};

	return may_watch() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
