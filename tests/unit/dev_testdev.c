/* SPDX-License-Identifier: MIT */
/* The devices of kvm-unit-tests, behind buses as vCPUs meet them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

#include "devices/bus.h"
#include "devices/testdev.h"

static struct bus ports, mmio;
static uint64_t flushed;
static unsigned line, calls;
static int level;

static void flush(void *ctx, uint64_t gpa)
{
	assert_ptr_equal(ctx, &calls);
	flushed = gpa;
	calls++;
}

static void set_line(void *ctx, unsigned number, int to)
{
	assert_ptr_equal(ctx, &calls);
	line = number;
	level = to;
	calls++;
}

static int setup(void **state)
{
	const struct testdev_host host = { flush, set_line, &calls };

	(void)state;
	ports = (struct bus){ .name = "port" };
	mmio = (struct bus){ .name = "mmio" };
	calls = 0;
	return bus_add(&ports, testdev_create_bytes(TESTDEV_LATCH_PORTS),
		       TESTDEV_LATCH_PORT, TESTDEV_LATCH_PORTS) ||
	       bus_add(&ports, testdev_create_flush(&host), TESTDEV_FLUSH_PORT,
		       TESTDEV_FLUSH_PORTS) ||
	       bus_add(&ports, testdev_create_lines(&host), TESTDEV_LINE_PORT,
		       TESTDEV_LINE_PORTS) ||
	       bus_add(&mmio, testdev_create_bytes(TESTDEV_RAM_BYTES),
		       TESTDEV_RAM, TESTDEV_RAM_BYTES);
}

static int teardown(void **state)
{
	(void)state;
	bus_destroy(&ports);
	bus_destroy(&mmio);
	return 0;
}

static void bytes_are_kept(void **state)
{
	(void)state;
	bus_write(&ports, 0xe0, 4, 0x44332211);
	bus_write(&ports, 0xe1, 1, 0xaa);
	assert_int_equal(bus_read(&ports, 0xe0, 4), 0x4433aa11);
	assert_int_equal(bus_read(&ports, 0xe2, 2), 0x4433);
	bus_write(&mmio, TESTDEV_RAM + 0xfff8, 8, 0x1122334455667788);
	assert_int_equal(bus_read(&mmio, TESTDEV_RAM + 0xfff8, 8),
			 0x1122334455667788);
	/* across the end: what lies behind is nobody's */
	assert_int_equal(bus_read(&mmio, TESTDEV_RAM + 0xfffc, 8),
			 0xffffffff11223344);
}

static void a_page_is_flushed_once(void **state)
{
	(void)state;
	bus_write(&ports, 0xe4, 4, 0x123456);
	assert_int_equal(flushed, 0x123456);
	bus_write(&ports, 0xe5, 1, 1); /* not where it begins */
	assert_int_equal(calls, 1);
	assert_int_equal(bus_read(&ports, 0xe4, 4), 0);
}

static void a_port_is_a_line(void **state)
{
	(void)state;
	bus_write(&ports, 0x2000, 1, 1);
	assert_int_equal(line, 0);
	assert_int_equal(level, 1);
	bus_write(&ports, 0x2017, 1, 0);
	assert_int_equal(line, 23);
	assert_int_equal(level, 0);
	bus_write(&ports, 0x2018, 1, 1); /* there is no such line */
	assert_int_equal(calls, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_are_kept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_page_is_flushed_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_port_is_a_line, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
