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

static inline void write_image(const void *bytes, size_t len)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, bytes, len, 0), len);
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

static inline void expect_image_refused(const void *bytes, size_t len,
					const char *reason)
{
	write_image(bytes, len);
	expect_refused_at(path, reason);
}

/* The image is taken, with @initrd, which may be NULL, and is open then. */
static inline void take_image(const void *bytes, size_t len, const char *initrd)
{
	write_image(bytes, len);
	if (!image_open(&im, path, initrd, &ram, &why))
		fail_msg("%s", why.text);
	assert_true(image_holds(&im, &ram));
}

static inline void expect_refused(const char *reason)
{
	expect_image_refused(&elf, sizeof(elf), reason);
}

static inline void expect_taken(void)
{
	take_image(&elf, sizeof(elf), NULL);
	image_close(&im);
	assert_int_equal(im.fd, -1);
}

/* One field of a good image, with another value. */
struct change {
	const char *label; /* of docs/hostile.md */
	size_t at, len;
	uint64_t value;
	const char *reason; /* for which it is refused */
};

/* The good image of @size bytes is refused with each of @n changes. */
static inline void expect_changes_refused(const void *good, size_t size,
					  const struct change *change, size_t n)
{
	uint8_t bad[sizeof(struct elf)];

	assert_in_range(size, 1, sizeof(bad));
	for (const struct change *c = change; c < change + n; c++) {
		memcpy(bad, good, size);
		memcpy(bad + c->at, &c->value, c->len);
		write_image(bad, size);
		if (image_open(&im, path, NULL, &ram, &why))
			fail_msg("%s: taken; want \"%s\"", c->label, c->reason);
		expect_refused_at(path, c->reason);
	}
}

/* The image's last byte is loaded: nothing shorter is whole. */
static inline void expect_cut_refused(const void *good, size_t size)
{
	write_image(good, size);
	for (off_t len = (off_t)size; len-- > 0;) {
		assert_int_equal(ftruncate(file, len), 0);
		if (image_open(&im, path, NULL, &ram, &why))
			fail_msg("taken when cut at %ld", (long)len);
	}
}

/* Bytes [@from, @to) of the good image of @size bytes, each bit flipped and
 * each extreme: refused, or taken and within the rules. */
static inline void damage_each_byte(const void *good, size_t size, size_t from,
				    size_t to)
{
	uint8_t bad[sizeof(struct elf)];
	unsigned taken = 0, tried = 0;

	assert_in_range(size, to, sizeof(bad));
	for (size_t at = from; at < to; at++)
		for (unsigned way = 0; way < 10; way++, tried++) {
			memcpy(bad, good, size);
			bad[at] = (uint8_t)(way < 8 ? bad[at] ^ (1u << way)
						    : (way - 8) * 0xffu);
			write_image(bad, size);
			if (!image_open(&im, path, NULL, &ram, &why))
				continue;
			taken++;
			assert_true(image_holds(&im, &ram));
			image_close(&im);
		}
	print_message("%u damaged images, %u harmless\n", tried, taken);
	assert_in_range(taken, 1, tried - 1);
}

#endif
