/* SPDX-License-Identifier: MIT */
/*
 * The way into the kernel. Not every KVM can do `syscall` (under some it
 * arrives at the kernel's entry still in ring 3), so programs never use the
 * instruction themselves: they call a page that the kernel maps for them, and
 * what the page holds is decided at boot by trying. As Linux's vDSO does for
 * 32-bit programs.
 */
#ifndef GUEST_PROC_GATE_H
#define GUEST_PROC_GATE_H

#include "guest/cpu/trap.h"
#include "guest/mm/addr.h"

/* Set up syscall on this processor. */
void gate_init_cpu(void);

/* Try it in ring 3 (unless @trap_only), and fill the page. May sleep. */
void gate_init(bool trap_only);

extern enum gate_method gate_method;
pa_t gate_page_pa(void);

/* The trap @f is a system call by the gate; then RIP is moved past it. */
bool gate_called(struct trap_frame *f);

#endif
