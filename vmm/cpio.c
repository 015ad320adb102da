/* SPDX-License-Identifier: MIT */
/*
 * cpio archives, newc format: for every file
 *
 *   "070701", 13 numbers of 8 hex digits | name, NUL | pad | bytes | pad
 *
 * where both pads end at a multiple of 4. The file TRAILER!!! ends it.
 */
#include "vmm/cpio.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES 110

static int write_all(int to, const void *bytes, size_t len)
{
	for (const char *p = bytes; len > 0;) {
		ssize_t n = write(to, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Zeros up to the next multiple of 4, @written bytes after the last one. */
static int pad(int to, uint64_t written)
{
	return write_all(to, "\0\0\0", -written & 3);
}

static int header(int to, const char *name, mode_t mode, uint64_t len)
{
	size_t name_bytes = strlen(name) + 1;
	char text[HEADER_BYTES + 1];
	int r;

	if (len > UINT32_MAX)
		return -EFBIG;
	/* inode, mode, links; owner, group, time; size; device and special
	 * device, two numbers each; name's size; checksum (unused) */
	snprintf(text, sizeof(text),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		 0, mode, 1, 0, 0, 0, (uint32_t)len, 0, 0, 0, 0,
		 (uint32_t)name_bytes, 0);
	r = write_all(to, text, HEADER_BYTES);
	if (r == 0)
		r = write_all(to, name, name_bytes);
	return r ? r : pad(to, HEADER_BYTES + name_bytes);
}

/* Copy @len bytes of @from; a file that became shorter is an error. */
static int copy(int to, int from, uint64_t len)
{
	off_t at = 0;

	while ((uint64_t)at < len) {
		ssize_t n = sendfile(to, from, &at, len - (uint64_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO;
	}
	return pad(to, len);
}

static int file_bytes(int fd, uint64_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*bytes = (uint64_t)st.st_size;
	return 0;
}

int cpio_file(int to, const char *name, mode_t mode, const void *bytes,
	      size_t len)
{
	int r = header(to, name, mode, len);

	if (r == 0)
		r = write_all(to, bytes, len);
	return r ? r : pad(to, len);
}

int cpio_copy(int to, const char *name, mode_t mode, int from)
{
	uint64_t len;
	int r = file_bytes(from, &len);

	if (r == 0)
		r = header(to, name, mode, len);
	return r ? r : copy(to, from, len);
}

int cpio_end(int to)
{
	return header(to, "TRAILER!!!", 0, 0);
}

int cpio_append(int to, int from)
{
	uint64_t len;
	int r = file_bytes(from, &len);

	return r ? r : copy(to, from, len);
}
