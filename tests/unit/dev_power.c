/* SPDX-License-Identifier: MIT */
/* Power-off and reset: what ends a run, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "devices/power.h"

static unsigned offs, resets;

static void end(void *ctx, bool reset)
{
	assert_ptr_equal(ctx, &offs);
	resets += reset;
	offs += !reset;
}

static void sleep_control(void **state)
{
	struct device *d = power_create_sleep(end, &offs);

	(void)state;
	offs = resets = 0;
	for (unsigned v = 0; v < 256; v++)
		if ((v & 0x3c) != 0x34)
			d->ops->write(d, 0, 1, v);
	d->ops->write(d, POWER_SLEEP_STATUS, 1, 0x34);
	assert_int_equal(offs, 0);
	d->ops->write(d, 0, 1, 0x34); /* SLP_EN, type 5 */
	assert_int_equal(offs, 1);
	assert_int_equal(resets, 0);
	assert_int_equal(d->ops->read(d, 0, 2), 0);
	d->ops->destroy(d);
}

static void keyboard_controller(void **state)
{
	struct device *d = power_create_reset(end, &offs);

	(void)state;
	offs = resets = 0;
	for (unsigned v = 0; v < 256; v++)
		d->ops->write(d, 0, 1, v);
	assert_int_equal(resets, 1); /* 0xfe */
	assert_int_equal(offs, 0);
	assert_int_equal(d->ops->read(d, 0, 1), 0);
	d->ops->destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleep_control),
		cmocka_unit_test(keyboard_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
