/* SPDX-License-Identifier: MIT */
/*
 * Exceptions, interrupts, and the way to ring 3 and back. Interrupts are off
 * in ring 0 but where a processor idles, so a trap is never interrupted; an
 * exception *in* ring 0 is a bug of ours and ends the run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest/cpu/selector.h"

enum {
	TRAP_INVALID_OPCODE = 6,
	TRAP_DOUBLE_FAULT = 8,
	TRAP_PAGE_FAULT = 14,
	TRAP_MACHINE_CHECK = 18,
	TRAP_TIMER = 32,
	TRAP_SPURIOUS = 33,
	TRAP_KICK = 34, /* from another processor */
	TRAP_IRQ = 35, /* line 0 of the IOAPIC */
	TRAPS = TRAP_IRQ + 24,
	TRAP_SYSCALL /* no interrupt: entered by syscall */
};

#define IRQ_LINES (TRAPS - TRAP_IRQ)

/*
 * As trap.S pushes it, last first. In a page fault from ring 3 the first six
 * are not saved: C preserves them.
 */
struct trap_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

static inline bool from_user(const struct trap_frame *f)
{
	return (f->cs & 3) == 3;
}

/* Make the IDT, the same for all, and load it. On each processor. */
void trap_init(void);

/* Where ring 0 goes on after an exception that it expects, or 0. */
extern uintptr_t trap_fixup;

/* For trap.S: all but the page faults of programs; and those. */
void trap(struct trap_frame *f);
void trap_page_fault(struct trap_frame *f);

/*
 * The last of every way out, with the kernel lock, which it drops: a process
 * that was killed ends here, and one whose turn is over waits for its next.
 */
void trap_leave(struct trap_frame *f);

/* Where the syscall instruction goes (MSR_LSTAR). */
void syscall_entry(void);
