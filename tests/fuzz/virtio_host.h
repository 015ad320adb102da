/* SPDX-License-Identifier: MIT */
/*
 * What a virtio device needs around it, for a fuzzer: guest memory that is an
 * array, and an I/O thread that is a coroutine. It runs when the driver's side
 * waits for it, and until it would sleep, so that a run depends on its input
 * alone. The linker's --wrap leads the calls here.
 */
#ifndef TESTS_FUZZ_VIRTIO_HOST_H
#define TESTS_FUZZ_VIRTIO_HOST_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "devices/virtio.h"

#define RAM_BYTES (1u << 16)

static uint8_t ram[RAM_BYTES];

/* The input, as it is consumed; beyond its end there are zeros. */
static const uint8_t *input;
static size_t left;

static inline uint64_t take(unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n && left; i++, input++, left--)
		v |= (uint64_t)*input << (8 * i);
	return v;
}

/* The device's interrupt line. */
static int level;

static inline void set_line(void *ctx, int to)
{
	(void)ctx;
	if (to == level)
		abort(); /* changes only */
	level = to;
}

bool guest_has(struct stage2 *s, gpa_t at, uint64_t len)
{
	(void)s;
	return range_within(at.v, len, RAM_BYTES);
}

bool guest_read(struct stage2 *s, gpa_t at, void *to, size_t len)
{
	(void)s;
	if (!range_within(at.v, len, RAM_BYTES))
		return false;
	memcpy(to, ram + at.v, len);
	return true;
}

bool guest_write(struct stage2 *s, gpa_t at, const void *from, size_t len)
{
	(void)s;
	if (!range_within(at.v, len, RAM_BYTES))
		return false;
	memcpy(ram + at.v, from, len);
	return true;
}

int guest_pin(struct stage2 *s, gpa_t at, bool write, void **to)
{
	(void)s, (void)write;
	*to = ram + at.v % RAM_BYTES;
	return at.v < RAM_BYTES ? 0 : -EFAULT;
}

int guest_hold(struct stage2 *s, gpa_t at, bool write, void **to)
{
	return guest_pin(s, at, write, to);
}

void guest_unpin(struct stage2 *s, gpa_t at)
{
	(void)s, (void)at;
}

uint64_t guest_discard(struct stage2 *s, gpa_t at, uint64_t len,
		       enum guest_gift why)
{
	uint64_t pages = 0;

	(void)s, (void)why;
	for (uint64_t p = 0; p < RAM_BYTES; p += PAGE_SIZE)
		if (p >= at.v && range_within(p - at.v, PAGE_SIZE, len)) {
			memset(ram + p, 0, PAGE_SIZE);
			pages++;
		}
	return pages;
}

bool guest_hints_begin(struct stage2 *s)
{
	(void)s;
	return true;
}

void guest_hints_end(struct stage2 *s)
{
	(void)s;
}

static ucontext_t driver, io;
static char io_stack[256 << 10];
static void *(*io_main)(void *);
static void *io_arg;
static bool io_runs, in_io;

static void io_begin(void)
{
	io_main(io_arg);
	io_runs = false;
}

/* Let the I/O thread do what it can. */
static void io_run(void)
{
	if (!io_runs)
		return;
	in_io = true;
	swapcontext(&driver, &io);
	in_io = false;
}

int __real_poll(struct pollfd *p, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
			  void *(*run)(void *), void *arg);
int __wrap_pthread_join(pthread_t t, void **result);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_io_uring_queue_init(unsigned n, void *ring, unsigned flags);

/* Where the thread would sleep, or has work without end. */
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
	int ready;

	while (!(ready = __real_poll(p, n, 0)) || timeout == 0) {
		swapcontext(&io, &driver);
		if (timeout == 0)
			return __real_poll(p, n, 0);
	}
	return ready;
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
			  void *(*run)(void *), void *arg)
{
	(void)t, (void)a;
	getcontext(&io);
	io.uc_stack.ss_sp = io_stack;
	io.uc_stack.ss_size = sizeof(io_stack);
	io.uc_link = &driver;
	io_main = run;
	io_arg = arg;
	io_runs = true;
	makecontext(&io, io_begin, 0);
	return 0;
}

int __wrap_pthread_join(pthread_t t, void **result)
{
	(void)t, (void)result;
	while (io_runs)
		io_run();
	return 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	(void)c;
	pthread_mutex_unlock(m);
	if (in_io)
		swapcontext(&io, &driver);
	else
		io_run();
	pthread_mutex_lock(m);
	return 0;
}

/* Time passes at once. */
int __wrap_pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m,
				  clockid_t clock, const struct timespec *t);
int __wrap_pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m,
				  clockid_t clock, const struct timespec *t)
{
	(void)c, (void)m, (void)clock, (void)t;
	return ETIMEDOUT;
}

/* Plain calls end when they return. */
int __wrap_io_uring_queue_init(unsigned n, void *ring, unsigned flags)
{
	(void)n, (void)ring, (void)flags;
	return -1;
}

#endif
