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
#include <sys/resource.h>

#include "devices/thread.h"
#include "devices/virtio.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/ram.h"

/* Where the driver's stack and the I/O thread's were left; the thread's own. */
static void *driver_sp, *io_sp;
static void *io_stack[(256 << 10) / sizeof(void *)]
	__attribute__((aligned(16)));
static void *(*io_main)(void *);
static void *io_arg;
static bool io_runs, in_io;

/* Go on where the stack @to was left, and leave this one in *@from. What
 * swapcontext does, without its system call for the signal mask. */
void switch_stack(void **from, void *to);
__asm__(".type switch_stack, @function\n"
	"switch_stack:\n"
	"	push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
	"	ret\n");

static void io_begin(void)
{
	io_main(io_arg);
	io_runs = false;
	switch_stack(&io_sp, driver_sp);
}

/* Let the I/O thread do what it can. */
static void io_run(void)
{
	if (!io_runs)
		return;
	in_io = true;
	switch_stack(&driver_sp, io_sp);
	in_io = false;
}

static void io_sleep(void)
{
	switch_stack(&io_sp, driver_sp);
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
		io_sleep();
		if (timeout == 0)
			return __real_poll(p, n, 0);
	}
	return ready;
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a,
			  void *(*run)(void *), void *arg)
{
	/* Six registers, where to begin, and a return address never used. */
	void **top = io_stack + sizeof(io_stack) / sizeof(io_stack[0]) - 8;

	(void)t, (void)a;
	top[6] = (void *)io_begin;
	io_sp = top;
	io_main = run;
	io_arg = arg;
	io_runs = true;
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
		io_sleep();
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

/* Its name, its CPUs and its priority are nothing to a coroutine. */
void device_thread_begin(const char *name)
{
	(void)name;
}

int __wrap_setpriority(__priority_which_t which, id_t who, int priority);
int __wrap_setpriority(__priority_which_t which, id_t who, int priority)
{
	(void)which, (void)who, (void)priority;
	return 0;
}

/* Plain calls end when they return. */
int __wrap_io_uring_queue_init(unsigned n, void *ring, unsigned flags)
{
	(void)n, (void)ring, (void)flags;
	return -1;
}

#endif
