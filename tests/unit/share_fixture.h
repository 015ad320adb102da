/* SPDX-License-Identifier: MIT */
/* A file that is shared, with bytes that are known. */
#ifndef TESTS_UNIT_SHARE_FIXTURE_H
#define TESTS_UNIT_SHARE_FIXTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/pager_share.h"

#define PAGES 300 /* of the file, the last one in part */
#define TAIL  1000 /* bytes of it */

static char path[] = "/tmp/ept_share.XXXXXX";

/* The byte of the file at @at, and what lies behind it. */
static inline uint8_t byte_of(uint64_t at)
{
	if (at >= (PAGES - 1) * PAGE_SIZE + TAIL)
		return 0;
	return (uint8_t)(1 + at / PAGE_SIZE + at * 7);
}

static inline int make_file(void **state)
{
	uint8_t page[PAGE_SIZE];
	int fd;

	(void)state;
	strcpy(path, "/tmp/ept_share.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	for (uint64_t i = 0; i < PAGES; i++) {
		size_t len = i == PAGES - 1 ? TAIL : PAGE_SIZE;

		for (uint64_t k = 0; k < len; k++)
			page[k] = byte_of(i * PAGE_SIZE + k);
		assert_int_equal(write(fd, page, len), len);
	}
	return close(fd);
}

static inline int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_file, remove_file)

#endif
