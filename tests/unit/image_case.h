/* SPDX-License-Identifier: MIT */
/* One image a check, in a memfd; for the tests of vmm/image.h. */
#ifndef TESTS_IMAGE_CASE_H
#define TESTS_IMAGE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/image_fixture.h"

static int file; /* a memfd that holds the image */
static struct elf elf;
static struct ram ram;
static struct image im;
static struct complaint why;
static char path[64];

/* A good image, its file empty yet. 0, or not. */
static inline int image_begin(void)
{
	elf = good_elf();
	ram = ram_layout(UINT64_C(64) << 20);
	file = memfd_create("image", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return file < 0;
}

static inline int lowest_free_fd(void)
{
	int fd = dup(file);

	close(fd);
	return fd;
}

static inline void write_elf(void)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, &elf, sizeof(elf), 0), sizeof(elf));
}

static inline void expect_refused_at(const char *at, const char *reason)
{
	int fd = lowest_free_fd();
	const char *got;

	memset(&im, 0xa5, sizeof(im));
	if (image_open(&im, at, NULL, &ram, &why))
		fail_msg("taken; want \"%s\"", reason);
	got = strstr(why.text, "': ");
	if (!got || strcmp(got + 3, reason))
		fail_msg("got \"%s\", want \"%s\"", why.text, reason);
	assert_int_equal(im.fd, -1);
	assert_int_equal(lowest_free_fd(), fd); /* nothing is left open */
}

static inline void expect_refused(const char *reason)
{
	write_elf();
	expect_refused_at(path, reason);
}

static inline void expect_taken(void)
{
	write_elf();
	if (!image_open(&im, path, NULL, &ram, &why))
		fail_msg("%s", why.text);
	assert_true(image_holds(&im, &ram));
	image_close(&im);
	assert_int_equal(im.fd, -1);
}

#endif
