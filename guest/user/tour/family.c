/* SPDX-License-Identifier: MIT */
/* demo.h, the part for demonstrations of more than one process. */
#include "guest/lib/errno.h"
#include "guest/user/tour/demo.h"

/* Ticks until somebody who is awaited must have come: five seconds. */
#define PATIENCE 500u

/* More than any demonstration's functions need. */
#define STACK_BYTES (4 * PAGE_SIZE)

/* Write to it: what is shared after a fork is copied now. */
static __attribute__((noinline)) void own_stack(void)
{
	volatile char below[STACK_BYTES];

	for (unsigned i = 0; i < STACK_BYTES; i += PAGE_SIZE)
		below[i] = 1;
	(void)below[0];
}

int64_t demo_fork(struct demo *d)
{
	uint64_t parted = d->parted;
	int64_t pid = sys_fork();

	own_stack();
	if (pid)
		__atomic_store_n(&d->parted, parted + 1, __ATOMIC_RELEASE);
	for (unsigned i = 0;
	     !pid && __atomic_load_n(&d->parted, __ATOMIC_ACQUIRE) == parted;
	     i++) {
		if (i == PATIENCE)
			sys_exit(1);
		sys_sleep(1);
	}
	return pid;
}

int64_t demo_child(struct demo *d, demo_part *part, void *what)
{
	int64_t pid = demo_fork(d);

	if (!pid) {
		part(d, what);
		sys_exit(0);
	}
	return demo_can(d, pid, "fork") ? pid : -1;
}

void demo_join(struct demo *d, int64_t pid)
{
	int status = -1;

	if (pid < 0)
		return;
	demo_is(d, sys_wait(pid, &status), pid);
	demo_is(d, status, 0);
}

void demo_step(struct demo *d, uint64_t n)
{
	__atomic_store_n(&d->step, n, __ATOMIC_RELEASE);
}

void demo_await(struct demo *d, uint64_t n)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (__atomic_load_n(&d->step, __ATOMIC_ACQUIRE) >= n)
			return;
		sys_sleep(1);
	}
	demo_is(d, d->step, n);
	sys_exit(1);
}

bool demo_has_swap(struct demo *d)
{
	if (demo_counts().slots_total)
		return true;
	demo_skip(d, "the guest has no swap disk");
	return false;
}

uint64_t demo_page_out(struct demo *d, const volatile void *at, unsigned pages)
{
	uint64_t left = 0;

	demo_is(d,
		sys_madvise((uintptr_t)at, pages * PAGE_SIZE, MADVISE_PAGEOUT),
		0);
	for (unsigned i = 0; i < pages; i++)
		left += demo_walk((const volatile char *)at + i * PAGE_SIZE)
				.found;
	return left;
}
