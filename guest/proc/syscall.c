/* SPDX-License-Identifier: MIT */
#include "guest/proc/syscall.h"

#include "guest/dev/uart.h"
#include "guest/lib/errno.h"
#include "guest/mm/calls.h"
#include "guest/mm/user.h"
#include "guest/proc/api.h"
#include "guest/proc/calls.h"
#include "guest/proc/inspect.h"
#include "guest/proc/probe.h"
#include "guest/proc/process.h"

/* Straight from the program's pages: no buffer in between. */
static int64_t sys_write(const struct trap_frame *f)
{
	uintptr_t at = f->rsi;
	size_t left = f->rdx;

	while (left) {
		const char *text = user_byte(current()->space, at, false);
		size_t n = PAGE_SIZE - page_offset(at);

		if (!text)
			return -EFAULT;
		n = n < left ? n : left;
		uart_write(text, n);
		at += n;
		left -= n;
	}
	return (int64_t)f->rdx;
}

/* What is not here answers -ENOSYS. */
/* clang-format off */
static call_fn *const calls[SYS_CALLS] = {
	[SYS_EXIT] = sys_exit,
	[SYS_FORK] = sys_fork,
	[SYS_EXEC] = sys_exec,
	[SYS_WAIT] = sys_wait,
	[SYS_KILL] = sys_kill,
	[SYS_GETPID] = sys_getpid,
	[SYS_SLEEP] = sys_sleep,
	[SYS_TICKS] = sys_ticks,
	[SYS_CATCH] = sys_catch,
	[SYS_SET_FS] = sys_set_fs,
	[SYS_CPU] = sys_cpu,

	[SYS_MMAP] = sys_mmap,
	[SYS_MUNMAP] = sys_munmap,
	[SYS_MPROTECT] = sys_mprotect,
	[SYS_SBRK] = sys_sbrk,

	[SYS_WRITE] = sys_write,

	[SYS_INFO] = inspect_info,
	[SYS_COUNTS] = inspect_counts,
	[SYS_WALK] = inspect_walk,
	[SYS_PTE_CLEAR] = inspect_pte_clear,
	[SYS_FRAME] = inspect_frame,
	[SYS_PROCESS] = inspect_process,
	[SYS_PROBE] = sys_probe,
	[SYS_LAB] = inspect_lab,
	[SYS_ZONE] = sys_zone,
	[SYS_SLAB] = sys_slab,
	[SYS_LIMIT] = sys_limit,
	[SYS_OBJECT] = sys_object,
};
/* clang-format on */

void syscall(struct trap_frame *f)
{
	int64_t answer = -ENOSYS;

	if (f->rax < SYS_CALLS && calls[f->rax])
		answer = calls[f->rax](f);
	f->rax = (uint64_t)answer;
}
