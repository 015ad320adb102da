/* SPDX-License-Identifier: MIT */
/* System calls: the contract is proc/api.h. */
#ifndef GUEST_PROC_SYSCALL_H
#define GUEST_PROC_SYSCALL_H

#include "guest/cpu/trap.h"
#include "guest/proc/api.h"

/*
 * One system call: its arguments are RDI, RSI, RDX, R10, R8 and R9 of @f; its
 * answer is a value or -errno. Whatever the registers hold, the kernel lives.
 */
typedef int64_t call_fn(const struct trap_frame *f);

#define DECLARE(number, function) call_fn function;
SYSTEM_CALLS(DECLARE)
#undef DECLARE

/* Do the call in @f's registers and leave the answer there. */
void syscall(struct trap_frame *f);

#endif
