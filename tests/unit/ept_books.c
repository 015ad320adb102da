/* SPDX-License-Identifier: MIT */
/*
 * What stage 2 keeps about RAM that was touched, as the kernel counts: at most
 * 0.5 % of it. The counting is that of tests/bench/books, a program of its own,
 * because what others leave in the heap would be used again and not counted,
 * and linked like twofold, because a thread of a static one needs less.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/record.h"
#include "tests/unit/may_watch.h"

#define STORED_MAX (1 << 20) /* pages in swap */

/* Of sanitizers and of coverage, which keep memory of their own about ours. */
void __asan_init(void) __attribute__((weak));
void __tsan_init(void) __attribute__((weak));
void __gcov_init(void *file) __attribute__((weak));

/* The command that keeps books about such a guest. */
static void command(char *to, size_t size, const char *guest)
{
	char here[256];
	ssize_t n = readlink("/proc/self/exe", here, sizeof(here) - 1);

	assert_in_range(n, 1, sizeof(here) - 1);
	here[n] = 0;
	*strrchr(here, '/') = 0; /* .../tests/unit */
	snprintf(to, size, "%s/../bench/books %s", here, guest);
}

/* @guest: as the program's arguments say, MiB first. */
static void little_is_kept_about(const char *guest)
{
	long mib = strtol(guest, NULL, 10), bytes = 0;
	char books[512];
	FILE *f;

	command(books, sizeof(books), guest);
	f = popen(books, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &bytes), 1);
	printf("%s: %ld bytes, %.3f %%\n", guest, bytes,
	       100. * (double)bytes / (double)(mib << 20));
	pclose(f);
	assert_in_range(bytes, 1, (mib << 20) / 200);
}

/* A page in each 2 MiB stands for all. */
static void little_is_kept_about_ram(void **state)
{
	(void)state;
	little_is_kept_about("64 64 clock 512");
	little_is_kept_about("256 256 clock 512");
	little_is_kept_about("1024 1024 clock 512");
	little_is_kept_about("16384 16384 clock 512");
}

/* With the policy that keeps most, and all that swap leaves behind. */
static void little_is_kept_about_ram_that_was_swapped(void **state)
{
	(void)state;
	little_is_kept_about("1024 512 s3fifo 512");
}

static void little_is_kept_under_a_cap(void **state)
{
	(void)state;
	little_is_kept_about("64 32 clock");
	little_is_kept_about("64 32 s3fifo");
	little_is_kept_about("256 128 clock");
	little_is_kept_about("256 128 s3fifo");
}

/* Host pages behind @bytes at @at. */
static unsigned host_pages(const void *at, size_t bytes)
{
	unsigned char there[STORED_MAX * 32 / 4096];
	unsigned n = 0;

	assert_true(bytes / 4096 <= sizeof(there));
	assert_int_equal(mincore((void *)at, bytes, there), 0);
	for (size_t i = 0; i < bytes / 4096; i++)
		n += there[i] & 1;
	return n;
}

/* What swap keeps about a page beside its copy, whatever RAM there is, and
 * nothing about one that is not there. */
static void a_page_in_swap_has_32_bytes(void **state)
{
	const unsigned stored = STORED_MAX / 4;
	struct records t;

	(void)state;
	assert_int_equal(records_init(&t, STORED_MAX), 0);
	assert_int_equal(host_pages(t.record, STORED_MAX * 32), 0);
	for (unsigned i = 0; i < stored; i++)
		assert_non_null(record_take(&t, 0));
	assert_int_equal(host_pages(t.record, STORED_MAX * 32),
			 stored * 32 / 4096);
	for (unsigned i = 0; i < stored; i++)
		record_free(&t, &t.record[i]);
	for (unsigned i = 0; i < stored; i++) /* the same ones again */
		assert_non_null(record_take(&t, 0));
	assert_int_equal(host_pages(t.record, STORED_MAX * 32),
			 stored * 32 / 4096);
	records_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_is_kept_about_ram),
		cmocka_unit_test(little_is_kept_about_ram_that_was_swapped),
		cmocka_unit_test(little_is_kept_under_a_cap),
		cmocka_unit_test(a_page_in_swap_has_32_bytes),
	};

	if (!may_watch())
		return 0;
	if (__asan_init || __tsan_init || __gcov_init) {
		printf("SKIP (memory of instruments would be counted)\n");
		return 0;
	}
	return cmocka_run_group_tests_name("books", tests, NULL, NULL);
}
