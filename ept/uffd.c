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

/* Each of these installs a range in one call; how many bytes were installed,
 * or -errno if none. */
static int64_t result(int error, int64_t installed)
{
	return installed > 0 ? installed : -error;
}

static int64_t install_continue(int uffd, uint64_t at, uint64_t from,
				uint64_t len)
{
	struct uffdio_continue c = { .range = { at, len } };

	(void)from;
	return ioctl(uffd, UFFDIO_CONTINUE, &c) ? result(errno, c.mapped)
						: (int64_t)len;
}

static int64_t install_copy(int uffd, uint64_t at, uint64_t from, uint64_t len)
{
	struct uffdio_copy c = { .dst = at, .src = from, .len = len };

	return ioctl(uffd, UFFDIO_COPY, &c) ? result(errno, c.copy)
					    : (int64_t)len;
}

static int64_t install_zero(int uffd, uint64_t at, uint64_t from, uint64_t len)
{
	struct uffdio_zeropage z = { .range = { at, len } };

	(void)from;
	return ioctl(uffd, UFFDIO_ZEROPAGE, &z) ? result(errno, z.zeropage)
						: (int64_t)len;
}

/* Until all is there. Installing wakes only those whose pages it installed:
 * without a wake of its own, a thread that faulted on a page just before that
 * page appeared would sleep for ever. */
static uint64_t install_all(int64_t (*some)(int uffd, uint64_t at,
					    uint64_t from, uint64_t len),
			    int uffd, void *start, const void *from,
			    uint64_t len, uint64_t page, int *error)
{
	uint64_t at = (uintptr_t)start, source = (uintptr_t)from, done = 0;

	*error = 0;
	while (done < len) {
		int64_t n = some(uffd, at + done, source + done, len - done);

		if (n == -EAGAIN)
			continue;
		if (n == -EEXIST) {
			uffd_wake(uffd, (void *)(uintptr_t)(at + done), page);
			n = (int64_t)page;
		}
		if (n < 0) {
			*error = (int)n;
			break;
		}
		done += (uint64_t)n;
	}
	return done;
}

uint64_t uffd_continue(int uffd, void *at, uint64_t len, uint64_t page,
		       int *error)
{
	return install_all(install_continue, uffd, at, NULL, len, page, error);
}

uint64_t uffd_copy(int uffd, void *at, const void *from, uint64_t len,
		   int *error)
{
	return install_all(install_copy, uffd, at, from, len, PAGE_SIZE, error);
}

int uffd_create(int uffd, void *at, const void *from)
{
	int64_t n;

	do
		n = install_copy(uffd, (uintptr_t)at, (uintptr_t)from,
				 PAGE_SIZE);
	while (n == -EAGAIN);
	return n < 0 ? (int)n : 0;
}

uint64_t uffd_zero(int uffd, void *at, uint64_t len, int *error)
{
	return install_all(install_zero, uffd, at, NULL, len, PAGE_SIZE, error);
}

int uffd_poison(int uffd, void *at)
{
	struct uffdio_poison p = { .range = { (uintptr_t)at, PAGE_SIZE } };
	int r;

	do
		r = ioctl(uffd, UFFDIO_POISON, &p) ? -errno : 0;
	while (r == -EAGAIN);
	return r == -EEXIST ? uffd_wake(uffd, at, PAGE_SIZE) : r;
}
