/* SPDX-License-Identifier: MIT */
/* The table of pins beside a flat array of counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ept/pins.h"
#include "tests/unit/ept_pages.h"

#define FRAMES 3000

static struct pins pins;
static unsigned count[FRAMES];

static void check(uint64_t f)
{
	assert_int_equal(pins_hold(&pins, (frame_t){ f }), count[f] > 0);
}

static void pins_are_counted(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	memset(&pins, 0, sizeof(pins));
	memset(count, 0, sizeof(count));
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t r = random_next(&seed), f = r % 1500 * 2;

		if (r >> 63 && pins.frames < PINS_MAX) {
			assert_true(pins_add(&pins, (frame_t){ f }, PINS_MAX));
			count[f]++;
		} else if (count[f]) {
			count[f]--;
			assert_int_equal(pins_drop(&pins, (frame_t){ f }),
					 count[f] == 0);
		}
		check(f);
		check(random_next(&seed) % FRAMES);
	}
	for (uint64_t f = 0; f < FRAMES; f++)
		for (check(f); count[f]; count[f]--)
			pins_drop(&pins, (frame_t){ f });
	assert_int_equal(pins.frames, 0);
}

static void a_full_table_refuses_new_frames_only(void **state)
{
	(void)state;
	memset(&pins, 0, sizeof(pins));
	for (uint64_t f = 0; f < PINS_MAX; f++)
		assert_true(pins_add(&pins, (frame_t){ f << 20 }, PINS_MAX));
	assert_false(pins_add(&pins, (frame_t){ 5 }, PINS_MAX));
	assert_true(pins_add(&pins, (frame_t){ 5 << 20 }, PINS_MAX));
	assert_false(pins_drop(&pins, (frame_t){ 5 << 20 }));
	assert_true(pins_drop(&pins, (frame_t){ 5 << 20 }));
	assert_true(pins_add(&pins, (frame_t){ 5 }, PINS_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_counted),
		cmocka_unit_test(a_full_table_refuses_new_frames_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
