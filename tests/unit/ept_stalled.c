/* SPDX-License-Identifier: MIT */
/*
 * A tier does not answer while a batch is being stored in it. Nobody but that
 * batch waits: whoever touches, discards, drops, unmaps, audits or changes what
 * is in force is through while the store is still under way; and what comes of
 * the batch afterwards is right. Where somebody waits all the same, the tier's
 * patience ends after 30 s, and the test says so.
 */
#include <pthread.h>
#include <string.h>

#include "ept/audit.h"
#include "ept/guest_mem.h"
#include "tests/unit/stage2_fixture.h"

#define CAP   448 /* of 512: more than a batch has to go */
#define CLEAN 7 /* has kept its copy, which it equals */
#define ZERO  300 /* holds zeros */
#define OTHER 400 /* in no batch */

static unsigned stalled(void)
{
	struct inject_counters c;
	struct injection now;

	tier_injected(tier, &now, &c);
	return (unsigned)c.stalled;
}

/* A page of many words, one of which is its own. */
static void put(uint64_t page, uint64_t word)
{
	touchable(page)[0] = word;
	touchable(page)[1] = ~page;
}

static void check(uint64_t page, uint64_t word)
{
	assert_int_equal(touchable(page)[0], word);
	assert_int_equal(touchable(page)[1], word ? ~page : 0);
}

static void check_audit(void)
{
	struct audit_report r;

	assert_int_equal(stage2_audit(s2, &r), 0);
	assert_false(r.diverged);
	assert_int_equal(r.checked[AUDIT_SWAP_USED], 1);
}

/* The next punch that somebody is about to make, until it may go on. */
static _Atomic enum { PUNCH, PUNCH_STOPS, PUNCH_WAITS } punch;

int __real_fallocate(int fd, int mode, off_t at, off_t len);
int __wrap_fallocate(int fd, int mode, off_t at, off_t len);

int __wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
	if (punch == PUNCH_STOPS)
		for (punch = PUNCH_WAITS; punch == PUNCH_WAITS;)
			usleep(100);
	return __real_fallocate(fd, mode, at, len);
}

static uint64_t discard(uint64_t page)
{
	return guest_discard(s2, gpa_of(gfn(page)), PAGE_SIZE, GUEST_BALLOONED);
}

static unsigned leaving(void)
{
	unsigned n = 0;

	for (uint64_t page = 0; page < PAGES; page++)
		n += kind(page) == PTE_LEAVING;
	return n;
}

/* All of memory is written, and reclaim stuck with the first pages of it. */
static int begin(void **state)
{
	(void)state;
	start((struct options){ .policy = &policy_fifo });
	put(CLEAN, CLEAN + 1);
	assert_int_equal(stage2_evict(s2, gfn(CLEAN)), 0);
	check(CLEAN, CLEAN + 1);
	for (uint64_t page = 0; page < PAGES; page++)
		if (page == ZERO)
			touchable(page)[0] = 0;
		else if (page != CLEAN)
			put(page, page + 1);
	tier_inject(tier, &(struct injection){ .stall = true });
	stage2_set_limit(s2, CAP);
	while (!stalled())
		usleep(100);
	assert_int_equal(leaving(), TIER_BATCH);
	assert_int_equal(kind(0), PTE_LEAVING);
	assert_int_equal(kind(CLEAN), PTE_LEAVING);
	assert_int_equal(counters().swapped_out, 1);
	return 0;
}

/* Is it still under way, and nobody else's? Then it may end. */
static void let_go(void)
{
	stage2_set_limit(s2, PAGES);
	assert_int_equal(stalled(), 1);
	assert_int_equal(counters().swapped_out, 1);
	assert_int_equal(failures, 0);
	tier_inject(tier, &(struct injection){ .stall = false });
	while (leaving())
		usleep(100);
	check_audit();
	assert_int_equal(failures, 0);
}

static int end(void **state)
{
	(void)state;
	stop();
	return 0;
}

static void a_discard_waits_for_nobody(void **state)
{
	(void)state;
	assert_int_equal(discard(OTHER), 1);
	assert_int_equal(discard(0), 1);
	assert_int_equal(discard(2), 1);
	assert_int_equal(kind(0), PTE_ABSENT);
	assert_int_equal(leaving(), TIER_BATCH - 2);
	assert_int_equal(counters().resident, PAGES - 3);
	check_audit();
	stage2_set_limit(s2, PAGES);
	check(0, 0);
	put(0, 100); /* and it is written anew */
	let_go();
	assert_int_equal(counters().swapped_out, 1 + TIER_BATCH - 3);
	assert_int_equal(counters().clean_dropped, 1);
	for (uint64_t page = 3; page < PAGES; page++)
		if (page != OTHER && page != ZERO)
			check(page, page + 1);
	check(0, 100);
	check(2, 0);
	check(OTHER, 0);
}

static void *discard_first(void *pages)
{
	*(uint64_t *)pages = discard(0);
	return NULL;
}

/* It is leaving still, but not with the batch, which ends meanwhile. */
static void a_discard_under_way_keeps_its_page(void **state)
{
	pthread_t thread;
	uint64_t pages;

	(void)state;
	punch = PUNCH_STOPS;
	pthread_create(&thread, NULL, discard_first, &pages);
	while (punch == PUNCH_STOPS)
		usleep(100);
	assert_int_equal(kind(0), PTE_LEAVING);
	stage2_set_limit(s2, PAGES);
	tier_inject(tier, &(struct injection){ .stall = false });
	while (counters().swapped_out == 1)
		usleep(100);
	assert_int_equal(counters().swapped_out, 1 + TIER_BATCH - 2);
	assert_int_equal(kind(0), PTE_LEAVING);
	punch = PUNCH;
	pthread_join(thread, NULL);
	assert_int_equal(pages, 1);
	check_audit();
	check(0, 0);
	check(1, 2);
}

/* Its copy goes back at once, though the batch counted on it. */
static void a_clean_page_of_the_batch_is_discarded(void **state)
{
	const uint64_t slots = swap_slots_used(swap);

	(void)state;
	assert_int_equal(discard(CLEAN), 1);
	assert_int_equal(swap_slots_used(swap), slots - 1);
	let_go();
	check(CLEAN, 0);
}

static void a_touch_has_its_page_at_once(void **state)
{
	uint64_t got;

	(void)state;
	put(1, 200);
	assert_true(guest_read(s2, gpa_of(gfn(3)), &got, sizeof(got)));
	assert_int_equal(got, 4);
	assert_int_equal(kind(1), PTE_LEAF);
	let_go();
	check(1, 200);
	check(3, 4);
	check(4, 5);
}

/* What needs no store is out, or unmapped, before the other's is over. */
static void a_page_that_is_dropped_or_unmapped_waits_for_nobody(void **state)
{
	(void)state;
	assert_int_equal(stage2_evict(s2, gfn(ZERO)), 0);
	assert_int_equal(kind(ZERO), PTE_ABSENT);
	assert_int_equal(counters().zero_elided, 1);
	assert_int_equal(stage2_unmap(s2, gfn(OTHER)), 0);
	assert_int_equal(kind(OTHER), PTE_UNMAPPED);
	assert_int_equal(stage2_unmap(s2, gfn(0)), 0);
	assert_int_equal(kind(0), PTE_LEAVING);
	let_go();
	check(OTHER, OTHER + 1);
	check(ZERO, 0);
}

static void what_is_in_force_changes_meanwhile(void **state)
{
	struct shadow_report shadow;

	(void)state;
	for (unsigned i = 0; policies[i]; i++)
		assert_int_equal(stage2_set_policy(s2, policies[i]), 0);
	stage2_set_limit(s2, PAGES / 2);
	assert_false(stage2_wait_limit(s2, 1));
	stage2_set_limit(s2, PAGES);
	assert_true(stage2_wait_limit(s2, 1));
	stage2_shadow(s2, &shadow);
	assert_true(guest_hints_begin(s2));
	guest_hints_end(s2);
	check_audit();
	assert_int_equal(leaving(), TIER_BATCH);
	let_go();
	for (uint64_t page = 0; page < PAGES; page++)
		if (page != ZERO)
			check(page, page + 1);
}

static void *evict_first(void *error)
{
	*(int *)error = stage2_evict(s2, gfn(0));
	return NULL;
}

/*
 * Page 0 is no longer the batch's, and somebody wants it out again: it must not
 * become leaving before the batch has ended, which would take it for its own
 * and believe in the bytes that it has stored.
 */
static void evict_again(uint64_t word)
{
	pthread_t thread;
	int error = 1;

	stage2_set_limit(s2, PAGES);
	put(0, word);
	pthread_create(&thread, NULL, evict_first, &error);
	while (kind(0) == PTE_LEAF)
		usleep(100);
	for (unsigned i = 0; i < 20; i++, usleep(1000))
		assert_int_equal(kind(0), PTE_UNMAPPED);
	let_go();
	pthread_join(thread, NULL);
	assert_int_equal(error, 0);
	assert_int_equal(kind(0), PTE_STORED);
	check(0, word);
}

static void a_touched_page_is_not_claimed_twice(void **state)
{
	(void)state;
	evict_again(300);
}

static void a_discarded_page_is_not_claimed_twice(void **state)
{
	(void)state;
	assert_int_equal(discard(0), 1);
	evict_again(400);
}

/* Who wants out what is on its way has it out in the end. */
static void an_eviction_waits_for_its_own_page(void **state)
{
	pthread_t thread;
	int error = 1;

	(void)state;
	pthread_create(&thread, NULL, evict_first, &error);
	let_go();
	pthread_join(thread, NULL);
	assert_int_equal(error, 0);
	check(0, 1);
}

#define STALLED_TEST(what) cmocka_unit_test_setup_teardown(what, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STALLED_TEST(a_discard_waits_for_nobody),
		STALLED_TEST(a_discard_under_way_keeps_its_page),
		STALLED_TEST(a_clean_page_of_the_batch_is_discarded),
		STALLED_TEST(a_touch_has_its_page_at_once),
		STALLED_TEST(
			a_page_that_is_dropped_or_unmapped_waits_for_nobody),
		STALLED_TEST(what_is_in_force_changes_meanwhile),
		STALLED_TEST(a_touched_page_is_not_claimed_twice),
		STALLED_TEST(a_discarded_page_is_not_claimed_twice),
		STALLED_TEST(an_eviction_waits_for_its_own_page),
	};

	return may_watch() ? cmocka_run_group_tests_name("stalled", tests, NULL,
							 NULL)
			   : 0;
}
