/* SPDX-License-Identifier: MIT */
/* The system calls that concern processes: proc/api.h says what each does. */
#ifndef GUEST_PROC_CALLS_H
#define GUEST_PROC_CALLS_H

#include "guest/proc/syscall.h"

call_fn sys_exit, sys_fork, sys_exec, sys_wait, sys_kill, sys_getpid, sys_sleep,
	sys_ticks, sys_catch, sys_set_fs, sys_cpu;

#endif
