/* SPDX-License-Identifier: MIT */
/* Every policy when a page is discarded, and when there is less memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ept/replay.h"

static void a_discarded_page_is_new_again(void **state)
{
	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		struct replay r;

		assert_int_equal(replay_init(&r, policies[i], 10, 4), 0);
		replay_run(&r, (uint32_t[]){ 1, 2, 1, 2 }, 4);
		replay_forget(&r, (frame_t){ 1 });
		replay_forget(&r, (frame_t){ 7 });
		assert_int_equal(r.used, 1);
		replay_run(&r, (uint32_t[]){ 2, 1, 1 }, 3);
		assert_int_equal(r.misses, 3);
		assert_int_equal(r.references, 7);
		replay_destroy(&r);
	}
}

/* Nor does anything that was known of it count: 1 is the newest of 2 3 1 and
 * leaves as the third. */
static void a_discarded_page_has_no_past(void **state)
{
	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		struct replay r;

		if (policies[i] == &policy_random)
			continue;
		assert_int_equal(replay_init(&r, policies[i], 10, 3), 0);
		replay_run(&r, (uint32_t[]){ 1, 2, 3, 1, 1, 1 }, 6);
		replay_forget(&r, (frame_t){ 1 });
		replay_run(&r, (uint32_t[]){ 1, 4, 5 }, 3);
		assert_true(frame_set_has(&r.resident, (frame_t){ 1 }));
		replay_run(&r, (uint32_t[]){ 6 }, 1);
		assert_false(frame_set_has(&r.resident, (frame_t){ 1 }));
		assert_int_equal(r.misses, 7);
		replay_destroy(&r);
	}
}

static void a_smaller_memory_takes_effect_at_once(void **state)
{
	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		struct replay r;

		assert_int_equal(replay_init(&r, policies[i], 10, 8), 0);
		replay_run(&r, (uint32_t[]){ 1, 2, 3, 4, 5, 6 }, 6);
		replay_resize(&r, 2);
		assert_int_equal(r.used, 2);
		replay_run(&r, (uint32_t[]){ 1, 2, 3 }, 3);
		assert_int_equal(r.used, 2);
		replay_resize(&r, 4);
		replay_run(&r, (uint32_t[]){ 7, 8, 9, 7, 8, 9 }, 6);
		assert_int_equal(r.used, 4);
		replay_destroy(&r);
	}
}

static void reference_each(struct replay *r, uint32_t from, uint32_t to,
			   unsigned times)
{
	for (uint32_t f = from; f < to; f++)
		for (unsigned i = 0; i < times; i++)
			replay_reference(r, (frame_t){ f });
}

/* With 400 frames 399 is the newest ghost of many. With 4, and some newcomers
 * later, it is not remembered: it is one newcomer more, and leaves as one. */
static void ghosts_follow_a_smaller_memory(void **state)
{
	const frame_t ghost = { 399 };

	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		struct replay r;

		if (policies[i] == &policy_random)
			continue;
		assert_int_equal(replay_init(&r, policies[i], 2000, 400), 0);
		reference_each(&r, 0, 800, 2);
		assert_false(frame_set_has(&r.resident, ghost));
		replay_resize(&r, 4);
		reference_each(&r, 1000, 1020, 1);
		replay_reference(&r, ghost);
		reference_each(&r, 1100, 1108, 1);
		assert_false(frame_set_has(&r.resident, ghost));
		replay_destroy(&r);
	}
}

/* And with 400 frames still, it is: the policies with ghosts keep it. */
static void ghosts_are_remembered(void **state)
{
	static const struct policy_ops *const with[] = { &policy_2q,
							 &policy_arc,
							 &policy_s3fifo };
	const frame_t ghost = { 399 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct replay r;

		assert_int_equal(replay_init(&r, with[i], 2000, 400), 0);
		reference_each(&r, 0, 800, 2);
		replay_reference(&r, ghost);
		reference_each(&r, 1000, 1395, 1);
		assert_true(frame_set_has(&r.resident, ghost));
		replay_destroy(&r);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_discarded_page_is_new_again),
		cmocka_unit_test(a_discarded_page_has_no_past),
		cmocka_unit_test(a_smaller_memory_takes_effect_at_once),
		cmocka_unit_test(ghosts_follow_a_smaller_memory),
		cmocka_unit_test(ghosts_are_remembered),
	};

	return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
