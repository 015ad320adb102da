/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ept/history.h"

#define EVENTS 8

static struct history h;

static int init(void **state)
{
	(void)state;
	return history_init(&h, EVENTS);
}

static int destroy(void **state)
{
	(void)state;
	history_destroy(&h);
	return 0;
}

static void note(uint64_t gfn, uint64_t tsc)
{
	history_note(&h, &(struct history_event){
				 .gfn = gfn, .tsc = tsc, .what = HISTORY_AGE });
}

static void newest_come_first(void **state)
{
	struct history_event e[4];

	(void)state;
	note(5, 1);
	note(6, 2);
	note(5, 3);
	assert_int_equal(history_find(&h, (gfn_t){ 5 }, e, 4), 2);
	assert_int_equal(e[0].tsc, 3);
	assert_int_equal(e[1].tsc, 1);
	assert_int_equal(history_find(&h, (gfn_t){ 5 }, e, 1), 1);
	assert_int_equal(e[0].tsc, 3);
	assert_int_equal(history_find(&h, (gfn_t){ 7 }, e, 4), 0);
}

/* What was never noted is not found, though the ring is full of zeros. */
static void empty_knows_nothing(void **state)
{
	struct history_event e;

	(void)state;
	assert_int_equal(history_find(&h, (gfn_t){ 0 }, &e, 1), 0);
	assert_int_equal(history_lost(&h), 0);
}

static void the_oldest_are_overwritten_and_counted(void **state)
{
	struct history_event e[2 * EVENTS];

	(void)state;
	for (uint64_t i = 0; i < EVENTS; i++)
		note(i % 2, i);
	assert_int_equal(history_lost(&h), 0);
	assert_int_equal(history_find(&h, (gfn_t){ 0 }, e, 2 * EVENTS), 4);
	for (uint64_t i = EVENTS; i < EVENTS + 3; i++)
		note(i % 2, i);
	assert_int_equal(history_lost(&h), 3);
	assert_int_equal(history_find(&h, (gfn_t){ 0 }, e, 2 * EVENTS), 4);
	assert_int_equal(e[0].tsc, EVENTS + 2);
	assert_int_equal(e[3].tsc, 4); /* 0 and 2 are gone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(newest_come_first, init,
						destroy),
		cmocka_unit_test_setup_teardown(empty_knows_nothing, init,
						destroy),
		cmocka_unit_test_setup_teardown(
			the_oldest_are_overwritten_and_counted, init, destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
