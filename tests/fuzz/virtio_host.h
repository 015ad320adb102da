/* SPDX-License-Identifier: MIT */
/*
 * What a virtio device needs around it, for a fuzzer: guest memory, and an I/O
 * thread that is a coroutine. It runs when the driver's side waits for it, and
 * until it would sleep, so that a run depends on its input alone. The linker's
 * --wrap leads the calls here.
 */
#ifndef TESTS_FUZZ_VIRTIO_HOST_H
#define TESTS_FUZZ_VIRTIO_HOST_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <ucontext.h>

#include "devices/virtio.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/ram.h"

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
