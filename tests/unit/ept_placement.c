/* SPDX-License-Identifier: MIT */
/* Which placement is chosen, by what a fault took in each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ept/placement.h"

static struct placement_report measured(uint64_t same, uint64_t spin,
					uint64_t blocked, uint64_t awake)
{
	struct placement_report r = { .ticks = { same, spin, blocked, awake } };

	r.choice = placement_choose(r.ticks);
	return r;
}

static enum placement chosen(uint64_t same, uint64_t spin, uint64_t blocked,
			     uint64_t awake)
{
	return measured(same, spin, blocked, awake).choice;
}

static void the_cheapest_is_chosen(void **state)
{
	(void)state;
	assert_int_equal(chosen(100, 500, 1000, 400), PLACE_SAME_CPU);
	assert_int_equal(chosen(900, 100, 1000, 400), PLACE_SPIN);
	assert_int_equal(chosen(900, 500, 100, 400), PLACE_BLOCKED);
	assert_int_equal(chosen(900, 500, 1000, 100), PLACE_AWAKE);
}

/* A CPU that polls is lost to others: it must be worth half a fault more. */
static void polling_must_win_by_half(void **state)
{
	(void)state;
	assert_int_equal(chosen(0, 666, 1000, 0), PLACE_SPIN);
	assert_int_equal(chosen(0, 667, 1000, 0), PLACE_BLOCKED);
	assert_int_equal(chosen(0, 266, 1000, 400), PLACE_SPIN);
	assert_int_equal(chosen(0, 268, 1000, 400), PLACE_AWAKE);
}

/* It has the vCPU leave the guest all the way. */
static void the_same_cpu_must_win_by_a_quarter(void **state)
{
	(void)state;
	assert_int_equal(chosen(796, 0, 1000, 0), PLACE_SAME_CPU);
	assert_int_equal(chosen(804, 0, 1000, 0), PLACE_BLOCKED);
	assert_int_equal(chosen(1100, 0, 0, 1100), PLACE_AWAKE);
}

/* One CPU, one that must not be shared, no right to keep CPUs awake: what was
 * not measured is not to be had. */
static void what_was_not_measured_is_not_chosen(void **state)
{
	(void)state;
	assert_int_equal(chosen(100000, 0, 0, 0), PLACE_SAME_CPU);
	assert_int_equal(chosen(0, 100000, 0, 0), PLACE_SPIN);
	assert_int_equal(chosen(0, 0, 100000, 0), PLACE_BLOCKED);
	assert_int_equal(chosen(0, 0, 0, 100000), PLACE_AWAKE);
	assert_int_equal(chosen(0, 0, 0, 0), PLACE_BLOCKED);
}

/* To be woken costs what a fault costs more than with a handler that polls. */
static void polling_pays_for_as_long_as_a_wake_up_takes(void **state)
{
	struct placement_report r = measured(0, 300, 1000, 0);

	(void)state;
	assert_int_equal(placement_polls(&r), 700);
	r = measured(0, 900, 1000, 0); /* blocked */
	assert_int_equal(placement_polls(&r), 0);
	r = measured(100, 300, 1000, 0);
	assert_int_equal(placement_polls(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cheapest_is_chosen),
		cmocka_unit_test(polling_must_win_by_half),
		cmocka_unit_test(the_same_cpu_must_win_by_a_quarter),
		cmocka_unit_test(what_was_not_measured_is_not_chosen),
		cmocka_unit_test(polling_pays_for_as_long_as_a_wake_up_takes),
	};

	return cmocka_run_group_tests_name("placement", tests, NULL, NULL);
}
