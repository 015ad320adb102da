/* SPDX-License-Identifier: MIT */
/* Stage 2 when the host has no memory for a page just then, or is slow to map
 * one: two calls of userfaultfd are ours first. */
#include <pthread.h>

#include "tests/unit/stage2_fixture.h"

#include "ept/audit.h"

static uint64_t spot = 5; /* under test */

static _Atomic unsigned fail_zero; /* so many calls fail */
static _Atomic unsigned zeros; /* calls */
static _Atomic bool continued;
static void (*before_zero)(void), (*before_continue)(void); /* once */

static void once(void (**what)(void))
{
	void (*now)(void) = *what;

	*what = NULL;
	if (now)
		now();
}

uint64_t __real_uffd_zero(int uffd, void *at, uint64_t len, int *error);
uint64_t __wrap_uffd_zero(int uffd, void *at, uint64_t len, int *error);
uint64_t __real_uffd_continue(int uffd, void *at, uint64_t len, uint64_t page,
			      int *error);
uint64_t __wrap_uffd_continue(int uffd, void *at, uint64_t len, uint64_t page,
			      int *error);

uint64_t __wrap_uffd_zero(int uffd, void *at, uint64_t len, int *error)
{
	zeros++;
	once(&before_zero);
	if (fail_zero) {
		fail_zero--;
		*error = -ENOMEM;
		return 0;
	}
	return __real_uffd_zero(uffd, at, len, error);
}

uint64_t __wrap_uffd_continue(int uffd, void *at, uint64_t len, uint64_t page,
			      int *error)
{
	uint64_t done;

	once(&before_continue);
	done = __real_uffd_continue(uffd, at, len, page, error);
	continued = true;
	return done;
}

static void *touch(void *at)
{
	return (void *)(uintptr_t) * (volatile uint64_t *)at;
}

static uint64_t latencies(void)
{
	struct histogram h;

	stage2_latency(s2, &h);
	return h.count;
}

/* Its thread waits until there is memory, and that is one fault. */
static void a_fault_is_counted_once(void **state)
{
	(void)state;
	start((struct options){ .limit = 0 });
	fail_zero = 3;
	assert_int_equal(*touchable(spot), 0);
	assert_int_equal(zeros, 4);
	assert_int_equal(counters().missing, 1);
	assert_int_equal(counters().zero_filled, 1);
	assert_int_equal(latencies(), 1);
	assert_int_equal(failures, 0);
	stop();
}

static pthread_t unmapper;
static _Atomic int unmapped;

static void *unmap(void *arg)
{
	unmapped = stage2_unmap(s2, gfn(spot)) == 0;
	return arg;
}

/* Long enough for the other thread to get on as far as it may. */
static void give_it_time(void)
{
	usleep(100000);
}

static void unmap_meanwhile(void)
{
	pthread_create(&unmapper, NULL, unmap, NULL);
	give_it_time();
}

/* Two threads fault on one page. The second finds it brought, and maps it for
 * itself; who unmaps it meanwhile has to wait for that. */
static void who_is_let_go_is_not_unmapped_under(void **state)
{
	struct audit_report r;
	pthread_t other;

	(void)state;
	start((struct options){ .limit = 0 });
	before_continue = unmap_meanwhile;
	/* On a busy machine the second one may come too late. */
	for (; before_continue && spot < PAGES; spot += FAR / 4) {
		before_zero = give_it_time;
		pthread_create(&other, NULL, touch, (void *)touchable(spot));
		assert_int_equal(*touchable(spot), 0);
		pthread_join(other, NULL);
		give_it_time();
	}
	assert_null(before_continue);
	spot -= FAR / 4;
	pthread_join(unmapper, NULL);
	while (!continued)
		usleep(1000);
	assert_true(unmapped);
	assert_int_equal(kind(spot), PTE_UNMAPPED);
	assert_int_equal(stage2_audit(s2, &r), 0);
	assert_false(r.diverged);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_is_counted_once),
		cmocka_unit_test(who_is_let_go_is_not_unmapped_under),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
