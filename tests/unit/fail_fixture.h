/* SPDX-License-Identifier: MIT */
/*
 * The fail-Nth layer: the linker puts these in the place of the calls that
 * tiers make (tests.mk says which), and the Nth of them goes wrong. Calls of
 * threads other than the test's own are not counted: they use __real_*.
 */
#ifndef TESTS_UNIT_FAIL_FIXTURE_H
#define TESTS_UNIT_FAIL_FIXTURE_H

#include <errno.h>
#include <liburing.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

enum fault { NO_SPACE, IO_ERROR, INTERRUPTED, TRY_AGAIN, SHORT, FAULTS };

static const int fault_errno[] = { [NO_SPACE] = ENOSPC,
				   [IO_ERROR] = EIO,
				   [INTERRUPTED] = EINTR,
				   [TRY_AGAIN] = EAGAIN,
				   [SHORT] = 0 };

/* One for I/O, one for memory. */
struct seam {
	unsigned calls, nth; /* so far; which goes wrong, 0: none */
	bool after; /* and all that follow */
	enum fault fault;
};

static struct seam io_seam, memory_seam;

static inline bool due(struct seam *s)
{
	unsigned call = __atomic_add_fetch(&s->calls, 1, __ATOMIC_SEQ_CST);

	return s->after && s->nth ? call >= s->nth : call == s->nth;
}

/* A call that moves @size bytes: how many it may; -1: none, with errno. */
static inline ssize_t io_due(size_t size)
{
	if (!due(&io_seam))
		return (ssize_t)size;
	if (io_seam.fault == SHORT)
		return (ssize_t)size / 2;
	errno = fault_errno[io_seam.fault];
	return -1;
}

/* A call that cannot stop short. */
static inline bool call_fails(void)
{
	return io_due(1) < 0;
}

#define WRAP(type, name, ...)            \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAP(ssize_t, pread, int fd, void *to, size_t size, off_t at)
{
	ssize_t n = io_due(size);

	return n < 0 ? n : __real_pread(fd, to, (size_t)n, at);
}

WRAP(ssize_t, pwrite, int fd, const void *from, size_t size, off_t at)
{
	ssize_t n = io_due(size);

	return n < 0 ? n : __real_pwrite(fd, from, (size_t)n, at);
}

WRAP(ssize_t, send, int fd, const void *from, size_t size, int flags)
{
	ssize_t n = io_due(size);

	return n < 0 ? n : __real_send(fd, from, (size_t)n, flags);
}

/* A message that was cut is lost, as the kernel does it. */
WRAP(ssize_t, recv, int fd, void *to, size_t size, int flags)
{
	ssize_t n = io_due(size), got;

	if (n < 0)
		return n;
	got = __real_recv(fd, to, size, flags);
	return (size_t)n < size ? got / 2 : got;
}

WRAP(int, fallocate, int fd, int mode, off_t at, off_t size)
{
	return call_fails() ? -1 : __real_fallocate(fd, mode, at, size);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	return call_fails() ? -1 : __real_open(path, flags, 0);
}

WRAP(int, io_uring_queue_init, unsigned n, struct io_uring *ring,
     unsigned flags)
{
	return call_fails() ? -errno
			    : __real_io_uring_queue_init(n, ring, flags);
}

/* The call may fail, and then each completion that it brought. */
WRAP(int, io_uring_submit_and_wait, struct io_uring *ring, unsigned n)
{
	struct io_uring_cqe *cqe;
	unsigned head;
	int r;

	if (call_fails())
		return -errno;
	r = __real_io_uring_submit_and_wait(ring, n);
	io_uring_for_each_cqe(ring, head, cqe)
	{
		ssize_t res = cqe->res > 0 ? io_due((size_t)cqe->res) : -1;

		if (cqe->res > 0)
			cqe->res = res < 0 ? -errno : (int)res;
	}
	return r;
}

WRAP(void *, malloc, size_t size)
{
	return due(&memory_seam) ? NULL : __real_malloc(size);
}

WRAP(void *, calloc, size_t n, size_t size)
{
	return due(&memory_seam) ? NULL : __real_calloc(n, size);
}

WRAP(void *, aligned_alloc, size_t align, size_t size)
{
	return due(&memory_seam) ? NULL : __real_aligned_alloc(align, size);
}

WRAP(void *, mmap, void *at, size_t size, int prot, int flags, int fd,
     off_t from)
{
	if (!due(&memory_seam))
		return __real_mmap(at, size, prot, flags, fd, from);
	errno = ENOMEM;
	return MAP_FAILED;
}

WRAP(void *, ZSTD_createCCtx, void)
{
	return due(&memory_seam) ? NULL : __real_ZSTD_createCCtx();
}

WRAP(void *, ZSTD_createDCtx, void)
{
	return due(&memory_seam) ? NULL : __real_ZSTD_createDCtx();
}

/* Waiting would prove nothing here. */
WRAP(int, nanosleep, const struct timespec *t, struct timespec *left)
{
	(void)t;
	(void)left;
	return 0;
}

WRAP(int, clock_nanosleep, clockid_t clock, int flags, const struct timespec *t,
     struct timespec *left)
{
	(void)clock;
	(void)flags;
	return __wrap_nanosleep(t, left);
}

#endif
