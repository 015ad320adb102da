/* SPDX-License-Identifier: MIT */
#include "vmm/capsule_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ept/addr.h"

/* An unnamed file, or -errno. */
static int make_file(const char *folder, uint64_t bytes)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	int error = posix_fallocate(fd, 0, (off_t)bytes);
	if (!error)
		return fd;
	close(fd);
	return -error;
}

int capsule_disk(const struct swap_option *s, uint64_t bytes,
		 struct complaint *why)
{
	struct stat st;
	int fd;

	if (s->size)
		bytes = s->size;
	if (!stat(s->path, &st) && S_ISBLK(st.st_mode)) {
		fd = open(s->path, O_RDWR | O_EXCL | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	} else {
		fd = make_file(s->path, (bytes + PAGE_MASK) & ~PAGE_MASK);
	}
	if (fd >= 0)
		return fd;
	complaint_set(why, "swap %s: %s", s->path,
		      fd == -ENOSPC ? "no room for it there" : strerror(-fd));
	return -1;
}
