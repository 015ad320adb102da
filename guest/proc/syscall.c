/* SPDX-License-Identifier: MIT */
#include "guest/proc/syscall.h"

#include "guest/dev/exit.h"
#include "guest/dev/lapic.h"
#include "guest/fs/calls.h"
#include "guest/lib/errno.h"
#include "guest/proc/api.h"
#include "guest/proc/inspect.h"
#include "guest/proc/process.h"

static int64_t sys_exit(const struct trap_frame *f)
{
	user_leave(f->rdi > EXIT_MAX ? EXIT_MAX : (int)f->rdi);
}

static int64_t sys_mmap(const struct trap_frame *f)
{
	return space_mmap(&process.space, f->rdi, f->rsi, (unsigned)f->rdx,
			  (unsigned)f->r10);
}

static int64_t sys_munmap(const struct trap_frame *f)
{
	return space_munmap(&process.space, f->rdi, f->rsi);
}

static int64_t sys_mprotect(const struct trap_frame *f)
{
	return space_mprotect(&process.space, f->rdi, f->rsi, (unsigned)f->rdx);
}

static int64_t sys_sbrk(const struct trap_frame *f)
{
	return process_sbrk(f->rdi);
}

static int64_t sys_ticks(const struct trap_frame *f)
{
	(void)f;
	return (int64_t)lapic_ticks();
}

static int64_t sys_catch(const struct trap_frame *f)
{
	process.catch = f->rdi;
	return 0;
}

/* What is not here answers -ENOSYS. */
/* clang-format off */
static call_fn *const calls[SYS_CALLS] = {
	[SYS_EXIT] = sys_exit,
	[SYS_MMAP] = sys_mmap,
	[SYS_MUNMAP] = sys_munmap,
	[SYS_MPROTECT] = sys_mprotect,
	[SYS_SBRK] = sys_sbrk,
	[SYS_TICKS] = sys_ticks,
	[SYS_CATCH] = sys_catch,
	[SYS_OPEN] = call_open,
	[SYS_CLOSE] = call_close,
	[SYS_READ] = call_read,
	[SYS_WRITE] = call_write,
	[SYS_SEEK] = call_seek,
	[SYS_STAT] = call_stat,
	[SYS_READDIR] = call_readdir,
	[SYS_TRUNCATE] = call_truncate,
	[SYS_UNLINK] = call_unlink,
	[SYS_MKDIR] = call_mkdir,
	[SYS_PIPE] = call_pipe,
	[SYS_DUP] = call_dup,
	[SYS_SYNC] = call_sync,
	[SYS_DROP_CACHES] = call_drop_caches,
	[SYS_INFO] = inspect_info,
	[SYS_COUNTS] = inspect_counts,
	[SYS_WALK] = inspect_walk,
	[SYS_PTE_CLEAR] = inspect_pte_clear,
	[SYS_FRAME] = inspect_frame,
	[SYS_LAB] = inspect_lab,
};
/* clang-format on */

void syscall(struct trap_frame *f)
{
	int64_t answer = -ENOSYS;

	if (f->rax < SYS_CALLS && calls[f->rax])
		answer = calls[f->rax](f);
	f->rax = (uint64_t)answer;
}
