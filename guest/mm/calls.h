/* SPDX-License-Identifier: MIT */
/* The system calls about memory (proc/api.h), each a call_fn. */
#ifndef GUEST_MM_CALLS_H
#define GUEST_MM_CALLS_H

#include "guest/proc/syscall.h"

call_fn sys_mmap, sys_munmap, sys_mprotect, sys_sbrk;
call_fn sys_mlock, sys_munlock, sys_msync, sys_madvise;
call_fn sys_vma, sys_walk; /* what a process has: maps.c */
call_fn sys_zone, sys_slab, sys_limit, sys_object,
	sys_reclaim; /* the kernel's memory */

#endif
