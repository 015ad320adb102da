/* SPDX-License-Identifier: MIT */
/* Sizes and numbers as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "vmm/options.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bare, bytes;
	} good[] = {
		{ "0B", 0, 0 },
		{ "0", 1, 0 },
		{ "7", 3, 21 },
		{ "1k", 0, KIB },
		{ "1KiB", 0, KIB },
		{ "007M", 0, 7 * MIB },
		{ "16777215T", 0, 16777215 * TIB },
		{ "18446744073709551615B", 0, UINT64_MAX },
		{ "18446744073709551615", 1, UINT64_MAX },
	};
	static const char *const bad[] = {
		"",	 "M",	      "+1M",
		" 1M",	 "1 M",	      "1M ",
		"1MB",	 "1BiB",      "1Mi",
		"1P",	 "0x1M",      "1.5G",
		"1@",	 "1`",	      "1\"",
		"-1M",	 "16777216T", "18446744073709551616B",
		"1\x80", "1MiBx",     "99999999999999999999B",
	};
	uint64_t bytes;

	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(size_parse(good[i].text, good[i].bare, &bytes));
		assert_int_equal(bytes, good[i].bytes);
	}
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (size_parse(bad[i], 1, &bytes))
			fail_msg("'%s' was taken for a size", bad[i]);
	assert_false(size_parse("1", 0, &bytes)); /* needs a suffix */
	assert_false(size_parse("6148914691236517206", 3, &bytes));
}

static void numbers(void **state)
{
	static const char *const bad[] = { "",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "1K",
					   "0x1",
					   "99999999999999999999",
					   "18446744073709551616" };
	uint64_t n;

	(void)state;
	assert_true(number_parse("0", &n));
	assert_int_equal(n, 0);
	assert_true(number_parse("018", &n));
	assert_int_equal(n, 18);
	assert_true(number_parse("18446744073709551615", &n));
	assert_int_equal(n, UINT64_MAX);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (number_parse(bad[i], &n))
			fail_msg("'%s' was taken for a number", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
