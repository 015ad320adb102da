/* SPDX-License-Identifier: MIT */
/* The fixture of most tests of the control API and of its callers: one API, of
 * its own for each TEST. */
#ifndef TESTS_API_EACH_H
#define TESTS_API_EACH_H

#include "tests/unit/api_fixture.h"

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, 5000);
	assert_served(&f); /* a thread that still starts is not forked well */
	f.vm.statuses = 0;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

#endif
