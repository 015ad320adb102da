/* SPDX-License-Identifier: MIT */
/*
 * bool access_refused(uint64_t at, enum access access, struct refusal *why)
 *
 * Tells the kernel where to continue if the next access is refused, makes the
 * access, and takes that back. What a write stores is a ret instruction, so
 * that the page can be called afterwards.
 *
 * The gate keeps all registers but RAX, RCX and R11.
 */
#include "guest/mm/layout.h"

#define SYS_CATCH 8 /* proc/api.h; demo.c asserts it */

	.text
	.globl access_refused
access_refused:
	push %rbx
	push %r12
	push %r13
	mov %rsp, %rbx		/* a refused call has pushed its return */
	mov %rdx, %r12
	mov %rdi, %r13
	mov $GATE_PAGE, %r8d

	lea refused(%rip), %rdi
	mov $SYS_CATCH, %eax
	call *%r8

	cmp $1, %esi
	je 1f
	ja 2f
	mov (%r13), %al
	jmp done
1:	movb $0xc3, (%r13)	/* ret */
	jmp done
2:	call *%r13
done:
	xor %edi, %edi
	mov $SYS_CATCH, %eax
	call *%r8
	xor %eax, %eax
	jmp out

refused:			/* RAX vector, RDX error code, RCX address */
	mov %rbx, %rsp
	mov %rax, (%r12)
	mov %rdx, 8(%r12)
	mov %rcx, 16(%r12)
	mov $1, %eax
out:
	pop %r13
	pop %r12
	pop %rbx
	ret

	.section .note.GNU-stack, "", @progbits
