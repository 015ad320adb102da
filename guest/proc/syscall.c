/* SPDX-License-Identifier: MIT */
#include "guest/proc/syscall.h"

#include "guest/dev/dma.h"
#include "guest/fs/calls.h"
#include "guest/lib/errno.h"
#include "guest/mm/calls.h"
#include "guest/proc/api.h"
#include "guest/proc/calls.h"
#include "guest/proc/inspect.h"
#include "guest/proc/probe.h"

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
	[SYS_MLOCK] = sys_mlock,
	[SYS_MUNLOCK] = sys_munlock,
	[SYS_MSYNC] = sys_msync,
	[SYS_MADVISE] = sys_madvise,

	[SYS_OPEN] = sys_open,
	[SYS_CLOSE] = sys_close,
	[SYS_READ] = sys_read,
	[SYS_WRITE] = sys_write,
	[SYS_SEEK] = sys_seek,
	[SYS_STAT] = sys_stat,
	[SYS_READDIR] = sys_readdir,
	[SYS_TRUNCATE] = sys_truncate,
	[SYS_UNLINK] = sys_unlink,
	[SYS_MKDIR] = sys_mkdir,
	[SYS_PIPE] = sys_pipe,
	[SYS_DUP] = sys_dup,
	[SYS_SYNC] = sys_sync,

	[SYS_INFO] = inspect_info,
	[SYS_COUNTS] = inspect_counts,
	[SYS_WALK] = sys_walk,
	[SYS_PTE_CLEAR] = inspect_pte_clear,
	[SYS_FRAME] = inspect_frame,
	[SYS_PROCESS] = inspect_process,
	[SYS_PROBE] = sys_probe,
	[SYS_LAB] = inspect_lab,
	[SYS_REPORT] = inspect_report,
	[SYS_VMA] = sys_vma,
	[SYS_ZONE] = sys_zone,
	[SYS_SLAB] = sys_slab,
	[SYS_LIMIT] = sys_limit,
	[SYS_RECLAIM] = sys_reclaim,
	[SYS_OBJECT] = sys_object,
	[SYS_DMA] = sys_dma,
	[SYS_DROP_CACHES] = sys_drop_caches,
};
/* clang-format on */

void syscall(struct trap_frame *f)
{
	int64_t answer = -ENOSYS;

	if (f->rax < SYS_CALLS && calls[f->rax])
		answer = calls[f->rax](f);
	f->rax = (uint64_t)answer;
}
