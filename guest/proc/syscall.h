/* SPDX-License-Identifier: MIT */
/*
 * System calls: the contract is proc/api.h.
 *
 * The way in is the *gate*. Not every KVM can do `syscall` (under some it
 * arrives at the kernel's entry still in ring 3), so programs never use the
 * instruction themselves: they call a page that the kernel maps for them, and
 * what the page holds is decided at boot by trying. As Linux's vDSO does for
 * 32-bit programs.
 */
#pragma once

#include "guest/cpu/trap.h"
#include "guest/mm/addr.h"
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

/* Set up the instruction on this processor. */
void gate_init_cpu(void);

/* Try it in ring 3 (unless @trap_only), and fill the page. May sleep. */
void gate_init(bool trap_only);

extern enum gate_method gate_method;
pa_t gate_page_pa(void);

/* The trap @f is a system call by the gate; then RIP is moved past it. */
bool gate_called(struct trap_frame *f);
