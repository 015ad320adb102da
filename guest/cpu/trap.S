/* SPDX-License-Identifier: MIT */
/*
 * Entry and exit. Every way into the kernel ends with the same picture on the
 * stack, struct trap_frame, and every way out goes through trap_return.
 *
 * The stack of a trap is that of the running process (cpu/smp.h), and tells
 * which that is: only syscall, which brings none, needs swapgs to find it.
 */
#include "guest/cpu/selector.h"

	.text

.macro save_scratch
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %rax
	push %r8
	push %r9
	push %r10
	push %r11
.endm

.macro save_registers
	save_scratch
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	mov %rsp, %rdi
.endm

/*
 * A program's page faults are many, and take a short cut: what C preserves is
 * not saved, its place in the frame is only skipped.
 */
#define PRESERVED_BYTES 48
#define FRAME_CS 24		/* when vector and error code are on the stack */

.macro vector number
	.balign 16
vector_\number:
	.if \number != 8 && (\number < 10 || \number > 14) && \number != 17 \
		&& \number != 21
	push $0			/* the processor pushed no error code */
	.endif
	push $\number
	.if \number == 14
	testb $3, FRAME_CS(%rsp)
	jz trap_common
	save_scratch
	sub $PRESERVED_BYTES, %rsp
	cld
	mov %rsp, %rdi
	call trap_page_fault
	add $PRESERVED_BYTES, %rsp
	jmp return_scratch
	.else
	jmp trap_common
	.endif
.endm

	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, \
		18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, \
		33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, \
		48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58
	vector \n
	.endr

trap_common:
	save_registers
	call trap
trap_return:
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
return_scratch:
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rax
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	add $16, %rsp
	iretq

/*
 * syscall changes no stack and pushes nothing: RCX is the return address, R11
 * the flags (SDM vol. 2, SYSCALL). MSR_FMASK has cleared IF.
 */
	.balign 16
	.globl syscall_entry
syscall_entry:
	swapgs
	mov %rsp, %gs:8		/* struct cpu: user_rsp */
	mov %gs:0, %rsp		/* stack */
	push $USER_SS
	push %gs:8
	swapgs
	push %r11
	push $USER_CS
	push %rcx
	push $0
	push $60		/* TRAP_SYSCALL */
	save_registers
	call trap
	jmp trap_return

/* void context_switch(uint64_t *save, uint64_t rsp): proc/sched.h */
	.globl context_switch
context_switch:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, (%rdi)
	mov %rsi, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/*
 * A process begins with the function in RBX, if any, and leaves the kernel with the
 * trap_frame that lies behind its switch_frame.
 */
	.globl process_begin
process_begin:
	test %rbx, %rbx
	jz 1f
	call *%rbx
1:	mov %rsp, %rdi
	call trap_leave
	jmp trap_return

/* What may stand in the page by which programs call (proc/gate.c). */
	.section .rodata
	.balign 16
	.globl gate_trial, gate_by_syscall, gate_by_trap
gate_trial:
	mov $1, %edi		/* TRIAL_WORKS */
	mov $0, %eax		/* SYS_EXIT */
	syscall
	ud2			/* did nothing */
	.balign 16, 0
gate_by_syscall:
	syscall
	ret
	.balign 16, 0
gate_by_trap:
	ud2
	ret
	.balign 16, 0

	.globl trap_vectors
trap_vectors:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, \
		18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, \
		33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, \
		48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58
	.quad vector_\n
	.endr

	.section .note.GNU-stack, "", @progbits
