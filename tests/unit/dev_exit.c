/* SPDX-License-Identifier: MIT */
/* The exit port, behind a bus as vCPUs meet it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "devices/bus.h"
#include "devices/devices.h"
#include "guest/abi.h"

static struct bus bus;
static unsigned exits;
static uint32_t last;

static void on_exit_port(void *ctx, uint32_t status)
{
	assert_ptr_equal(ctx, &last);
	exits++;
	last = status;
}

static int setup(void **state)
{
	struct device *d = exit_create(on_exit_port, &last);

	(void)state;
	bus = (struct bus){ .name = "port" };
	exits = last = 0;
	return !d || bus_add(&bus, d, ABI_EXIT_PORT, ABI_EXIT_PORTS);
}

static int teardown(void **state)
{
	(void)state;
	bus_destroy(&bus);
	return 0;
}

static void write_gives_the_status(void **state)
{
	static const struct {
		unsigned len;
		uint32_t status;
	} widths[] = { { 1, 0x44 }, { 2, 0x3344 }, { 4, 0x11223344 } };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		bus_write(&bus, ABI_EXIT_PORT, widths[i].len, 0x11223344);
		assert_int_equal(exits, i + 1);
		assert_int_equal(last, widths[i].status);
	}
}

/* B1: every offset, every width. Only what begins at the port is a status; an
 * access of 8 bytes reaches beyond it and comes in bytes. */
static void only_the_first_byte_exits(void **state)
{
	(void)state;
	for (unsigned offset = 0; offset < ABI_EXIT_PORTS; offset++)
		for (unsigned len = 1; len <= 8; len *= 2) {
			bool inside = offset + len <= ABI_EXIT_PORTS;
			uint64_t beyond =
				inside ? 0 : UINT64_MAX << 8 * (4 - offset);

			exits = 0;
			bus_write(&bus, ABI_EXIT_PORT + offset, len, 7);
			assert_int_equal(exits, offset == 0);
			if (len < 8)
				beyond &= (UINT64_C(1) << 8 * len) - 1;
			assert_int_equal(
				bus_read(&bus, ABI_EXIT_PORT + offset, len),
				beyond);
		}
	assert_int_equal(last, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(write_gives_the_status, setup,
						teardown),
		cmocka_unit_test_setup_teardown(only_the_first_byte_exits,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
