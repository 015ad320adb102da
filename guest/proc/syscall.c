/* SPDX-License-Identifier: MIT */
/* From a number to a function; and the counts of the whole kernel. */
#include "guest/proc/syscall.h"

#include "guest/lib/errno.h"

struct sys_counts counts;

#define ENTRY(number, function) [number] = function,
static call_fn *const calls[SYS_CALLS] = { SYSTEM_CALLS(ENTRY) };

void syscall(struct trap_frame *f)
{
	f->rax = (uint64_t)(f->rax < SYS_CALLS ? calls[f->rax](f) : -ENOSYS);
}
