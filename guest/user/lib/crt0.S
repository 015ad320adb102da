/* SPDX-License-Identifier: MIT */
/* A program begins here, with what start takes in its registers. */
	.text
	.globl _start
_start:
	xor %ebp, %ebp
	call start

	.section .note.GNU-stack, "", @progbits
