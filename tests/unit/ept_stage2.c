/* SPDX-License-Identifier: MIT */
/*
 * Stage 2 without KVM: threads of this process stand for vCPUs and touch the
 * guest mapping, so every fault is provoked and counted exactly.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/guest_mem.h"
#include "ept/stage2.h"
#include "ept/uffd.h"

#define PAGES 512
#define FAR   128 /* pages between pages under test: no window reaches */

static struct stage2 *s2;
static struct swap *swap;
static struct stage2_failure last_failure;
static unsigned failures;
static FILE *file;

static void on_failure(void *ctx, const struct stage2_failure *f)
{
	(void)ctx;
	last_failure = *f;
	__atomic_add_fetch(&failures, 1, __ATOMIC_SEQ_CST);
}

struct options {
	uint64_t pages; /* of RAM; 0: PAGES */
	uint64_t limit; /* pages */
	uint64_t pool; /* bytes of the RAM tier, 0: any */
	uint64_t flip;
	const struct policy_ops *policy;
	struct file_extent extent;
	unsigned refs_ms;
};

static void start(struct options o)
{
	uint64_t pages = o.pages ? o.pages : PAGES;
	struct swap_config sc = { .tiers = 1, .flip_nth = o.flip };
	struct stage2_config c = {
		.region = { { { 0 }, pages / 2 }, { { 1 << 20 }, pages / 2 } },
		.regions = 2,
		.limit = o.limit ? o.limit : pages,
		.policy = o.policy ? o.policy : &policy_clock,
		.file = fileno(file),
		.extent = &o.extent,
		.extents = o.extent.bytes ? 1 : 0,
		.paging = true,
		.vcpus = 2,
		.refs_ms = o.refs_ms,
		.failed = on_failure,
	};

	failures = 0;
	assert_int_equal(tier_ram_create(&sc.tier[0], o.pool, CODEC_LZ4), 0);
	assert_int_equal(swap_create(&swap, &sc), 0);
	c.swap = swap;
	assert_int_equal(stage2_create(&s2, &c), 0);
}

/* Every test ends with every slot given back. */
static void stop(void)
{
	stage2_stop(s2);
	stage2_destroy(s2);
	assert_int_equal(swap_slots_used(swap), 0);
	swap_destroy(swap);
}

static gfn_t gfn(uint64_t page)
{
	return (gfn_t){ page < PAGES / 2 ? page
					 : (1 << 20) + page - PAGES / 2 };
}

static volatile uint64_t *touchable(uint64_t page)
{
	return stage2_host(s2, gfn(page));
}

static struct stage2_counters counters(void)
{
	struct stage2_counters c;

	stage2_counters(s2, &c);
	return c;
}

static enum pte_kind kind(uint64_t page)
{
	return pte_kind(stage2_entry(s2, gfn(page)));
}

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

/* Pages that left one after the other come back so. */
static void sequential_touch_is_fetched_ahead(void **state)
{
	(void)state;
	start((struct options){ 0 });
	for (uint64_t i = 0; i < 200; i++)
		*touchable(i) = i + 1;
	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(stage2_evict(s2, gfn(i)), 0);
	uint64_t faults = counters().missing;

	for (uint64_t i = 0; i < 200; i++)
		assert_int_equal(*touchable(i), i + 1);
	/* Some may have come back before, on a window still under way. */
	assert_int_equal(counters().swapped_in, 200);
	assert_true(counters().missing - faults < 50);
	stop();
}

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
	start((struct options){
		.extent = { .at = { 0x10100 }, .bytes = 9000, .offset = 50 } });
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
	assert_true(counters().minor > 1000);
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
		cmocka_unit_test(cap_is_never_passed),
		cmocka_unit_test(lowered_cap_takes_effect),
		cmocka_unit_test(guest_memory_is_checked_and_brought_in),
		cmocka_unit_test(file_pages_are_read_when_touched),
		cmocka_unit_test(damaged_copy_never_comes_back),
		cmocka_unit_test(full_swap_is_an_event),
		cmocka_unit_test(nothing_is_lost_in_a_storm),
		cmocka_unit_test(pages_in_use_lose_no_write),
		cmocka_unit_test(evict_finds_room_among_the_stale),
		cmocka_unit_test(policies_change_under_load),
		cmocka_unit_test(references_become_visible),
		cmocka_unit_test(ghosts_see_what_the_sampler_shows),
	};
	int uffd = uffd_open();

	if (uffd == -EPERM || uffd == -EACCES) {
		printf("SKIP (userfaultfd is forbidden here)\n");
		return 0;
	}
	close(uffd);
	return cmocka_run_group_tests(tests, open_file, NULL);
}
