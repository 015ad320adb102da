/* SPDX-License-Identifier: MIT */
/* The system calls of processes: what their arguments mean. */
#include "guest/proc/syscall.h"

#include "guest/cpu/smp.h"
#include "guest/dev/apic.h"
#include "guest/lib/errno.h"
#include "guest/proc/sched.h"

#define STATUS_BITS 0xff
#define LONGEST	    (1ul << 32) /* sleep, in ticks */

int64_t sys_exit(const struct trap_frame *f)
{
	process_exit((int)(f->rdi & STATUS_BITS));
}

int64_t sys_wait(const struct trap_frame *f)
{
	int status = 0;
	int64_t pid = process_wait((int64_t)f->rdi, &status);

	if (pid > 0 && f->rsi &&
	    user_write(current()->space, f->rsi, &status, sizeof(status)))
		return -EFAULT;
	return pid;
}

int64_t sys_kill(const struct trap_frame *f)
{
	struct process *p = processes;

	while (p && (p->pid != f->rdi || p->state == ZOMBIE))
		p = p->next;
	if (!p || !p->pid)
		return -ESRCH;
	if (f->rsi != SIGNAL_KILL)
		return -EINVAL;
	process_kill(p);
	return 0;
}

int64_t sys_getpid(const struct trap_frame *f)
{
	(void)f;
	return current()->pid;
}

int64_t sys_sleep(const struct trap_frame *f)
{
	uint64_t until = lapic_ticks + f->rdi;

	if (f->rdi > LONGEST)
		return -EINVAL;
	while (lapic_ticks < until) {
		if (process_dying())
			return -EINTR;
		sleep_until(&until, until);
	}
	return 0;
}

int64_t sys_ticks(const struct trap_frame *f)
{
	(void)f;
	return (int64_t)lapic_ticks;
}

int64_t sys_catch(const struct trap_frame *f)
{
	if (f->rdi >= USER_END)
		return -EINVAL; /* iretq would fault, and in ring 0 */
	current()->catch = f->rdi;
	return 0;
}

int64_t sys_set_bases(const struct trap_frame *f)
{
	if (f->rdi >= USER_END || f->rsi >= USER_END)
		return -EINVAL;
	process_set_bases(f->rdi, f->rsi);
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
