/* SPDX-License-Identifier: MIT */
/* How long a tier that fails is left alone, with a clock of the test's own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ept/rest.h"

#define MS UINT64_C(1000000)

static struct rest rest;
static uint64_t now;

static int start(void **state)
{
	(void)state;
	rest_init(&rest);
	now = 12345;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rest_destroy(&rest);
	return 0;
}

static unsigned allowed(void)
{
	int error;

	return rest_allows(&rest, 64, now, &error);
}

static enum rest_news fail_once(void)
{
	return rest_learn(&rest, -EIO, now);
}

static void begin(void)
{
	for (unsigned i = 1; i < REST_AFTER; i++)
		assert_int_equal(fail_once(), REST_NO_NEWS);
	assert_int_equal(allowed(), 64);
	assert_int_equal(fail_once(), REST_BEGAN);
}

static void a_success_between_starts_anew(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10 * REST_AFTER; i++) {
		fail_once();
		if (i % 2)
			assert_int_equal(rest_learn(&rest, 0, now),
					 REST_NO_NEWS);
		assert_int_equal(allowed(), 64);
	}
}

static void rests_grow_to_a_limit(void **state)
{
	uint64_t ms = REST_MIN_MS;

	(void)state;
	begin();
	for (unsigned i = 0; i < 20; i++) {
		now += ms * MS - 1;
		assert_int_equal(allowed(), 0);
		now++;
		assert_int_equal(allowed(), 1);
		assert_int_equal(allowed(), 0); /* one tries, not two */
		assert_int_equal(fail_once(), REST_NO_NEWS);
		ms = 2 * ms < REST_MAX_MS ? 2 * ms : REST_MAX_MS;
	}
}

static void one_that_gets_through_ends_it(void **state)
{
	int error = 0;

	(void)state;
	begin();
	assert_int_equal(rest_allows(&rest, 64, now, &error), 0);
	assert_int_equal(error, -EIO);
	rest_end(&rest); /* does not wait until it is over */
	assert_int_equal(allowed(), 1);
	assert_int_equal(rest_learn(&rest, 0, now), REST_ENDED);
	assert_int_equal(allowed(), 64);
	begin(); /* and has all its patience again */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_success_between_starts_anew),
		TEST(rests_grow_to_a_limit),
		TEST(one_that_gets_through_ends_it),
	};

	return cmocka_run_group_tests_name("rest", tests, NULL, NULL);
}
