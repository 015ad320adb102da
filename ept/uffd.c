/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ept/uffd.h"

static int uffd_new(void)
{
	int dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	int fd;

	if (dev >= 0) {
		fd = ioctl(dev, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
		close(dev);
		if (fd >= 0)
			return fd;
	}
	fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int uffd_open(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_NEEDED };
	int fd = uffd_new();

	if (fd < 0)
		return fd;
	if (ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -ENOTSUP;
	}
	return fd;
}

int uffd_watch(int uffd, void *at, uint64_t len, uint64_t modes)
{
	struct uffdio_register reg = { .range = { (uintptr_t)at, len },
				       .mode = modes };

	return ioctl(uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

int uffd_unwatch(int uffd, void *at, uint64_t len)
{
	struct uffdio_range r = { (uintptr_t)at, len };

	return ioctl(uffd, UFFDIO_UNREGISTER, &r) ? -errno : 0;
}

int uffd_wake(int uffd, void *at, uint64_t len)
{
	struct uffdio_range r = { (uintptr_t)at, len };

	return ioctl(uffd, UFFDIO_WAKE, &r) ? -errno : 0;
}

int uffd_continue(int uffd, void *start, uint64_t len)
{
	uint64_t at = (uintptr_t)start, end = at + len;

	while (at < end) {
		struct uffdio_continue c = { .range = { at, end - at } };
		int error;

		if (!ioctl(uffd, UFFDIO_CONTINUE, &c))
			return 0;
		error = errno;
		if (c.mapped > 0)
			at += (uint64_t)c.mapped;
		else if (error == EEXIST) {
			/* CONTINUE wakes only what it maps: without this a
			 * thread that faulted just before sleeps for ever. */
			uffd_wake(uffd, (void *)(uintptr_t)at, PAGE_SIZE);
			at += PAGE_SIZE;
		} else if (error != EAGAIN)
			return -error;
	}
	return 0;
}
