/* SPDX-License-Identifier: MIT */
/* A program begins here; on its stack are argc and argv. */
	.text
	.globl _start
_start:
	xor %ebp, %ebp
	mov (%rsp), %rdi
	lea 8(%rsp), %rsi
	call start

	.section .note.GNU-stack, "", @progbits
