/* SPDX-License-Identifier: MIT */
/* Power-off, suspending and reset: what is told, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "devices/power.h"

static unsigned told[POWER_EVENT_RESET + 1];

static void tell(void *ctx, enum power_event event)
{
	assert_ptr_equal(ctx, told);
	told[event]++;
}

static void expect(unsigned off, unsigned ram, unsigned reset)
{
	assert_int_equal(told[POWER_EVENT_OFF], off);
	assert_int_equal(told[POWER_EVENT_RAM], ram);
	assert_int_equal(told[POWER_EVENT_RESET], reset);
	memset(told, 0, sizeof(told));
}

static void sleep_control(void **state)
{
	struct device *d = power_create_sleep(tell, told);

	(void)state;
	for (unsigned v = 0; v < 256; v++)
		if ((v & 0x3c) != 0x34 && (v & 0x3c) != 0x24)
			d->ops->write(d, 0, 1, v);
	d->ops->write(d, POWER_SLEEP_STATUS, 1, 0x34);
	expect(0, 0, 0);
	d->ops->write(d, 0, 1, 0x34); /* SLP_EN, type 5 */
	expect(1, 0, 0);
	d->ops->write(d, 0, 1, 0x24); /* type 1 */
	expect(0, 1, 0);
	assert_int_equal(d->ops->read(d, 0, 2), 0);
	d->ops->destroy(d);
}

static void keyboard_controller(void **state)
{
	struct device *d = power_create_reset(tell, told);

	(void)state;
	for (unsigned v = 0; v < 256; v++)
		d->ops->write(d, 0, 1, v);
	expect(0, 0, 1); /* 0xfe */
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
