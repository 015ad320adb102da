/* SPDX-License-Identifier: MIT */
/* Adaptive polling: what is paid for waits of each kind, in ticks, beside what
 * would have been best had their length been known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ept/spin.h"

#define C     1600 /* what it costs to be woken */
#define LEAST (C / SPIN_LEAST)
#define WAITS 100

/* One wait, for an event that comes after @ticks: what of it was spent for
 * nothing, by polling or by being woken, and so much of the CPU's time. */
static uint64_t wait_for(struct spin *s, uint64_t ticks)
{
	uint64_t budget = s->budget;
	bool blocked = ticks > budget;

	spin_learn(s, blocked ? ticks + C : ticks, blocked);
	return blocked ? budget + C : ticks;
}

static uint64_t best(uint64_t ticks)
{
	return ticks < C ? ticks : C;
}

static struct spin fresh(uint64_t most)
{
	struct spin s;

	spin_init(&s, most);
	return s;
}

static void short_waits_are_polled_for(void **state)
{
	struct spin s = fresh(C);

	(void)state;
	for (unsigned i = 0; i < WAITS; i++)
		assert_int_equal(wait_for(&s, C - 1), C - 1);
	assert_int_equal(s.polled, WAITS);
	assert_int_equal(s.blocked, 0);
	assert_int_equal(s.budget, C); /* and never more */
}

static void long_waits_are_hardly_polled_for(void **state)
{
	struct spin s = fresh(C);

	(void)state;
	assert_int_equal(wait_for(&s, 100 * C), C + C);
	assert_int_equal(s.budget, C / 2);
	assert_int_equal(wait_for(&s, 100 * C), C / 2 + C);
	assert_int_equal(s.budget, C / 4);
	for (unsigned i = 2; i < WAITS; i++)
		wait_for(&s, 100 * C);
	assert_int_equal(s.budget, LEAST);
	assert_int_equal(wait_for(&s, 100 * C), LEAST + C);
	assert_int_equal(s.polled, 0);
	assert_int_equal(s.blocked, WAITS + 1);
}

/* From the least: 100, 200, 400, 800 are too little, 1600 is enough. */
static void waits_that_get_short_are_seen_to(void **state)
{
	struct spin s = fresh(C);

	(void)state;
	for (unsigned i = 0; i < WAITS; i++)
		wait_for(&s, 100 * C);
	for (unsigned i = 0; i < WAITS; i++)
		wait_for(&s, C - 1);
	assert_int_equal(s.blocked, WAITS + 4);
	assert_int_equal(s.polled, WAITS - 4);
	assert_int_equal(s.budget, C);
}

/* What came within C, seen by a wake-up that took as long again, was short;
 * what came later was not. */
static void the_wake_up_is_not_held_against_a_wait(void **state)
{
	struct spin s = fresh(C);

	(void)state;
	s.budget = C / 4;
	wait_for(&s, C - 1);
	assert_int_equal(s.budget, C / 2);
	wait_for(&s, C);
	assert_int_equal(s.budget, C / 4);
}

/* Whatever the waits are like, if they stay so for a while. */
static void it_never_costs_twice_the_best(void **state)
{
	(void)state;
	for (uint64_t ticks = 1; ticks < 4 * C; ticks += 7) {
		uint64_t paid = 0, least = 0;
		struct spin s = fresh(C);

		for (unsigned i = 0; i < WAITS; i++) {
			paid += wait_for(&s, ticks);
			least += best(ticks);
		}
		assert_true(paid <= 2 * least);
		assert_true(s.budget <= C && s.budget >= LEAST);
	}
}

/* Nor where each is the contrary of what the last one promised. */
static void it_can_be_fooled_but_not_for_much(void **state)
{
	uint64_t paid = 0, least = 0;
	struct spin s = fresh(C);

	(void)state;
	for (unsigned i = 0; i < WAITS; i++) {
		uint64_t ticks = i % 2 ? C - 1 : 100 * C;

		paid += wait_for(&s, ticks);
		least += best(ticks);
	}
	assert_true(paid <= 2 * least);
}

static void who_must_not_poll_does_not(void **state)
{
	struct spin s = fresh(0);

	(void)state;
	for (unsigned i = 0; i < WAITS; i++) {
		spin_learn(&s, i, true);
		assert_int_equal(s.budget, 0);
	}
	assert_int_equal(s.blocked, WAITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_waits_are_polled_for),
		cmocka_unit_test(long_waits_are_hardly_polled_for),
		cmocka_unit_test(waits_that_get_short_are_seen_to),
		cmocka_unit_test(the_wake_up_is_not_held_against_a_wait),
		cmocka_unit_test(it_never_costs_twice_the_best),
		cmocka_unit_test(it_can_be_fooled_but_not_for_much),
		cmocka_unit_test(who_must_not_poll_does_not),
	};

	return cmocka_run_group_tests_name("spin", tests, NULL, NULL);
}
