/* SPDX-License-Identifier: MIT */
#include "vmm/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ept/addr.h"

/* More than any kernel, with all it says for debuggers; a sparse file that
 * claims to be endless is refused here. */
#define FILE_MAX (UINT64_C(16) << 30)

/* What was checked against the file's size may still be missing: the file can
 * shrink while it is read. */
static bool read_all(int fd, uint64_t at, void *to, size_t len,
		     struct complaint *why)
{
	uint8_t *next = to;

	while (len) {
		ssize_t n = pread(fd, next, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complaint_set(why, "cannot read it: %s",
					     strerror(errno));
		if (n == 0)
			return complaint_set(why, "it shrank while it was "
						  "read");
		next += n;
		at += n;
		len -= n;
	}
	return true;
}

bool image_file_read(struct image_file *f, uint64_t at, void *to, size_t len,
		     struct complaint *why)
{
	if (!range_within(at, len, f->bytes))
		return complaint_set(why,
				     "truncated: %#zx bytes at %#" PRIx64
				     " are past its end",
				     len, at);
	if (!range_within(at, len, f->head_bytes))
		return read_all(f->fd, at, to, len, why);
	memcpy(to, f->head + at, len);
	return true;
}

static bool check_file(struct image_file *f, struct complaint *why)
{
	struct stat st;

	if (fstat(f->fd, &st))
		return complaint_set(why, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return complaint_set(why, "it is a directory");
	if (!S_ISREG(st.st_mode))
		return complaint_set(why, "not a regular file");
	f->bytes = (uint64_t)st.st_size;
	if (!f->bytes)
		return complaint_set(why, "it is empty");
	if (f->bytes > FILE_MAX)
		return complaint_set(why,
				     "it has %" PRIu64 " bytes; at most 16 GiB "
				     "are taken",
				     f->bytes);
	return true;
}

bool image_file_open(struct image_file *f, const char *path,
		     struct complaint *why)
{
	size_t len;

	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	f->head_bytes = 0;
	if (f->fd < 0)
		return complaint_set(why, "%s", strerror(errno));
	if (!check_file(f, why))
		return false;
	len = f->bytes < IMAGE_HEAD ? f->bytes : IMAGE_HEAD;
	if (!read_all(f->fd, 0, f->head, len, why))
		return false;
	f->head_bytes = len;
	return true;
}
