/* SPDX-License-Identifier: MIT */
/* The disk in the kernel image (ext2.c). */
	.section .rom, "a"
	.balign 4096
	.globl rom_start, rom_end
rom_start:
	.incbin "rom.img"
rom_end:

	.section .note.GNU-stack, "", @progbits
