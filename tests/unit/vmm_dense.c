/* SPDX-License-Identifier: MIT */
/* Numbers for keys: in the order they come, each once, wherever they lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/ept_pages.h"
#include "vmm/dense.h"

#define KEYS 20000

static uint64_t sequential(uint64_t i)
{
	return i;
}

/* The low half never differs. */
static uint64_t high(uint64_t i)
{
	return i << 44;
}

static uint64_t from_the_top(uint64_t i)
{
	return UINT64_MAX - i * 512;
}

/* A bijection, so that no key comes twice. */
static uint64_t scattered(uint64_t i)
{
	return i * UINT64_C(0xbf58476d1ce4e5b9) ^ UINT64_C(0x123456789abcdef);
}

static void check(uint64_t (*key)(uint64_t i))
{
	struct dense d;
	uint32_t number;

	assert_true(dense_init(&d));
	for (uint64_t i = 0; i < KEYS; i++) {
		assert_true(dense_number(&d, key(i), &number));
		assert_int_equal(number, i);
		assert_int_equal(d.count, i + 1);
		assert_true(dense_number(&d, key(i / 2), &number));
		assert_int_equal(number, i / 2);
	}
	assert_int_equal(d.count, KEYS);
	dense_free(&d);
}

static void keys_are_numbered_as_they_come(void **state)
{
	(void)state;
	check(sequential);
	check(high);
	check(from_the_top);
	check(scattered);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_numbered_as_they_come),
	};

	return cmocka_run_group_tests_name("dense", tests, NULL, NULL);
}
