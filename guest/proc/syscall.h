/* SPDX-License-Identifier: MIT */
/* System calls: the contract is proc/api.h. */
#ifndef GUEST_PROC_SYSCALL_H
#define GUEST_PROC_SYSCALL_H

#include "guest/cpu/trap.h"

/* Do the call in @f's registers and leave the answer there. */
void syscall(struct trap_frame *f);

#endif
