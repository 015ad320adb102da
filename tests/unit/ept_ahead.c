/* SPDX-License-Identifier: MIT */
/* Which pages come along: every plan of these readers is known in advance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ept/ahead.h"
#include "tests/unit/ept_pages.h"

static struct ahead ahead;

static struct ahead_plan fault(uint64_t f)
{
	struct ahead_plan plan = ahead_fault(&ahead, (frame_t){ f });

	ahead_brought(&ahead, plan, (frame_t){ f }, plan.pages);
	return plan;
}

static int reset(void **state)
{
	(void)state;
	ahead_init(&ahead);
	return 0;
}

/* 1, then 16 at the first hit, then twice as many, up to the most. */
static void sequential_reader_faults_once_a_window(void **state)
{
	static const unsigned window[] = { 1, 16, 32, 64, 128, 256, 256 };
	uint64_t at = 1000;

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		struct ahead_plan plan = fault(at);

		assert_int_equal(plan.step, 1);
		assert_int_equal(plan.pages, window[i]);
		at += plan.pages;
	}
}

static void random_reader_gets_nothing(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(fault(random_next(&seed) >> 20).pages, 1);
}

/* The majority has its way at the fifth equal step of the last eight. */
static void steady_steps_are_found(void **state)
{
	int64_t steps[] = { 7, -7, -1 };

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		uint64_t at = 1u << 20;
		struct ahead_plan plan = { 0 };
		unsigned faults = 0;

		reset(NULL);
		while (plan.pages <= 1) {
			plan = fault(at);
			at += (uint64_t)(plan.step * plan.pages);
			if (plan.step != steps[k])
				at += (uint64_t)(steps[k] - plan.step);
			assert_true(++faults < 10);
		}
		assert_int_equal(plan.step, steps[k]);
		assert_int_equal(plan.pages, 16);
	}
}

/* Two readers and a random one between them: each has its stream. */
static void readers_do_not_disturb_each_other(void **state)
{
	uint64_t at[2] = { 0, 1u << 24 }, seed = 9;
	struct ahead_plan plan = { 0 };

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		for (unsigned k = 0; k < 2; k++) {
			plan = fault(at[k]);
			at[k] += plan.pages;
			assert_int_equal(fault(random_next(&seed)).pages, 1);
		}
	assert_int_equal(plan.pages, 256);
}

/* Readers that stop in full growth make the next ones begin small. */
static void waste_makes_modest(void **state)
{
	unsigned first = 0;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		uint64_t at = (uint64_t)i << 24;

		fault(at);
		first = fault(at + 1).pages;
	}
	assert_in_range(first, 2, 4);
}

/* What was cut short is where the reader is expected. */
static void a_plan_cut_short_goes_on(void **state)
{
	struct ahead_plan plan;

	(void)state;
	fault(0);
	plan = ahead_fault(&ahead, (frame_t){ 1 });
	assert_int_equal(plan.pages, 16);
	ahead_brought(&ahead, plan, (frame_t){ 1 }, 5);
	assert_int_equal(fault(6).pages, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sequential_reader_faults_once_a_window,
				       reset),
		cmocka_unit_test_setup(random_reader_gets_nothing, reset),
		cmocka_unit_test_setup(steady_steps_are_found, reset),
		cmocka_unit_test_setup(readers_do_not_disturb_each_other,
				       reset),
		cmocka_unit_test_setup(waste_makes_modest, reset),
		cmocka_unit_test_setup(a_plan_cut_short_goes_on, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
