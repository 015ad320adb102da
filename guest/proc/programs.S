/* SPDX-License-Identifier: MIT */
/* Page-aligned, so that a program's text is mapped without a copy. */
.macro program name
	.balign 4096
	.globl \name\()_start, \name\()_end
\name\()_start:
	.incbin "\name\().elf"
\name\()_end:
.endm

	.section .programs, "a"
	program hello
	program verify
	program poke
	program touch
	program work
	program hog
	program shell
	program stress
	program fuzz
	program tour
	.balign 4096

	.section .note.GNU-stack, "", @progbits
