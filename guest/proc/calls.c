/* SPDX-License-Identifier: MIT */
#include "guest/proc/syscall.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/smp.h"
#include "guest/dev/lapic.h"
#include "guest/lib/errno.h"
#include "guest/mm/frame.h"
#include "guest/mm/user.h"
#include "guest/proc/exec.h"
#include "guest/proc/fork.h"
#include "guest/proc/sched.h"
#include "guest/proc/sleep.h"

#define STATUS_BITS 0xff
#define LONGEST	    (1ul << 32) /* sleep, in ticks */

int64_t sys_exit(const struct trap_frame *f)
{
	process_exit((int)(f->rdi & STATUS_BITS));
}

int64_t sys_fork(const struct trap_frame *f)
{
	(void)f;
	return process_fork();
}

/* A string of the program's behind the others of *@a. */
static int add_from_user(struct arguments *a, uintptr_t from)
{
	char *to = a->text + a->bytes;
	int64_t n = user_string(current()->space, to, from,
				ARGUMENT_BYTES - a->bytes);

	if (n < 0)
		return n == -ENAMETOOLONG ? -E2BIG : (int)n;
	a->bytes += (size_t)n + 1;
	a->count++;
	return 0;
}

static int collect(struct arguments *a, uintptr_t argv)
{
	for (;; argv += sizeof(uintptr_t)) {
		uintptr_t text;
		int error =
			user_read(current()->space, &text, argv, sizeof(text));

		if (error || !text)
			return error;
		error = add_from_user(a, text);
		if (error)
			return error;
	}
}

int64_t sys_exec(const struct trap_frame *f)
{
	struct frame *page = frame_alloc(FRAME_KERNEL);
	struct arguments *a;
	char name[NAME_BYTES];
	int64_t error;

	if (!page)
		return -ENOMEM;
	a = direct(frame_pa(page));
	error = user_string(current()->space, name, f->rdi, sizeof(name));
	if (error >= 0)
		error = collect(a, f->rsi);
	if (!error)
		error = process_exec(current(), name, a);
	frame_put(page);
	return error ? error : (int64_t)process_frame(current())->rax;
}

int64_t sys_wait(const struct trap_frame *f)
{
	int status = 0;
	int64_t pid =
		process_wait((int64_t)f->rdi, &status, f->rdx & WAIT_NO_HANG);

	if (pid > 0 && f->rsi &&
	    user_write(current()->space, f->rsi, &status, sizeof(status)))
		return -EFAULT;
	return pid;
}

int64_t sys_kill(const struct trap_frame *f)
{
	if (f->rsi != SIGNAL_KILL && f->rsi != SIGNAL_SEGV)
		return -EINVAL;
	return f->rdi <= UINT32_MAX
		       ? process_kill((uint32_t)f->rdi, (int)f->rsi)
		       : -ESRCH;
}

int64_t sys_getpid(const struct trap_frame *f)
{
	(void)f;
	return current()->pid;
}

int64_t sys_sleep(const struct trap_frame *f)
{
	uint64_t until = lapic_ticks() + f->rdi;

	if (f->rdi > LONGEST)
		return -EINVAL;
	while (lapic_ticks() < until) {
		if (process_dying())
			return -EINTR;
		sleep_until(&until, until);
	}
	return 0;
}

int64_t sys_ticks(const struct trap_frame *f)
{
	(void)f;
	return (int64_t)lapic_ticks();
}

int64_t sys_catch(const struct trap_frame *f)
{
	if (f->rdi >= USER_END)
		return -EINVAL; /* iretq would fault, and in ring 0 */
	current()->catch = f->rdi;
	return 0;
}

/* FS, or GS if the second argument is 1. */
int64_t sys_set_fs(const struct trap_frame *f)
{
	if (f->rdi >= USER_END || f->rsi > 1)
		return -EINVAL;
	if (f->rsi)
		current()->gs_base = f->rdi;
	else
		current()->fs_base = f->rdi;
	wrmsr(f->rsi ? MSR_GS_BASE : MSR_FS_BASE, f->rdi);
	return 0;
}

int64_t sys_cpu(const struct trap_frame *f)
{
	struct process *p = current();

	if (f->rdi == UINT64_MAX) {
		p->pinned = -1;
		return p->cpu;
	}
	if (f->rdi >= cpu_count)
		return -EINVAL;
	p->pinned = (int)f->rdi;
	while (p->cpu != f->rdi)
		sched_yield();
	return p->cpu;
}
