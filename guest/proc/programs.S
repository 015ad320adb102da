/* SPDX-License-Identifier: MIT */
/* Page-aligned, so that a program's text is mapped without a copy. */
	.section .rodata
	.balign 8
	.globl programs, programs_end
programs:
	.section .programs, "a"

.macro program name
	.balign 4096
1:	.incbin "\name\().elf"
2:
	.section .rodata.str1.1, "aMS", @progbits, 1
3:	.asciz "\name"
	.section .rodata
	.quad 3b, 1b, 2b
	.section .programs, "a"
.endm

	program hello
	program verify
	program poke
	program touch
	program work
	program shell
	program stress
	program fuzz
	program tour
	.balign 4096

	.section .rodata
programs_end:

	.section .note.GNU-stack, "", @progbits
