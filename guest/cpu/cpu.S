/* SPDX-License-Identifier: MIT */
/* Instructions that C has no words for, as functions: cpu/cpu.h, smp.h. */
#include "guest/cpu/selector.h"

	.text

.macro function name
	.globl \name
\name:
.endm

function cpuid
	push %rbx
	mov %edi, %eax
	xor %ecx, %ecx
	cpuid
	shl $32, %rbx		/* a struct of 16 bytes is RAX and RDX */
	or %rbx, %rax
	shl $32, %rdx
	or %rcx, %rdx
	pop %rbx
	ret

function rdmsr
	mov %edi, %ecx
	rdmsr
	shl $32, %rdx
	or %rdx, %rax
	ret

function wrmsr
	mov %edi, %ecx
	mov %esi, %eax
	mov %rsi, %rdx
	shr $32, %rdx
	wrmsr
	ret

	.irp name, cr0, cr3, cr4
function read_\name
	mov %\name, %rax
	ret
function write_\name
	mov %rdi, %\name
	ret
	.endr

function in8
	mov %edi, %edx
	xor %eax, %eax
	in %dx, %al
	ret

function out8
	mov %edi, %edx
	mov %esi, %eax
	out %al, %dx
	ret

function out32
	mov %edi, %edx
	mov %esi, %eax
	out %eax, %dx
	ret

function out8_string
	mov %rdx, %rcx
	mov %edi, %edx
	rep outsb
	ret

function cpu_stop
	cli
	hlt
	jmp cpu_stop

/* And with the table its selectors: CS by a far return, SS, TR. */
function load_gdt
	lgdt (%rdi)
	pop %rax
	push $KERNEL_CS
	push %rax
	mov $KERNEL_SS, %eax
	mov %eax, %ss
	mov $TSS_SEL, %eax
	ltr %ax
	lretq

function load_idt
	lidt (%rdi)
	ret

	.section .note.GNU-stack, "", @progbits
