/* SPDX-License-Identifier: MIT */
/*
 * A guest that is nothing but page tables, with a page of each size that
 * x86-64 has, and stays until it is stopped:
 *
 *     gva 0x200000     a page of 2 MiB, at the same gpa: it runs here
 *     gva 0x400000     one of 4 KiB, at gpa 0x200000
 *     gva 0x40000000   one of 1 GiB, at the same gpa; never touched, as not
 *                      every CPU has these
 *
 * It prints a dot once they are in use.
 */
#define UART	0x3f8
#define CR0_PG	(1 << 31)
#define CR4_PAE (1 << 5)
#define EFER	0xc0000080
#define LME	(1 << 8)
#define TABLE	0x3 /* present, writable */
#define LARGE	0x83

	.section .note.pvh, "a", @note
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.text
	.code32
	.globl start
start:
	movl $pml4, %eax
	movl %eax, %cr3
	movl %cr4, %eax
	orl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $EFER, %ecx
	rdmsr
	orl $LME, %eax
	wrmsr
	movl %cr0, %eax
	orl $CR0_PG, %eax
	movl %eax, %cr0
	lgdt gdtr
	ljmp $8, $start64

	.code64
start64:
	movl $UART, %edx
	movb $'.', %al
	outb %al, %dx
	movb $'\n', %al
	outb %al, %dx
1:	hlt
	jmp 1b

	.balign 8
gdt:
	.quad 0
	.quad 0x00209b0000000000 /* ring 0 code, 64 bit */
gdtr:
	.word . - gdt - 1
	.quad gdt

	.data
	.balign 4096
pml4:
	.quad pdpt + TABLE
	.fill 511, 8, 0
pdpt:
	.quad pd + TABLE
	.quad 0x40000000 + LARGE
	.fill 510, 8, 0
pd:
	.quad 0
	.quad 0x200000 + LARGE
	.quad pt + TABLE
	.fill 509, 8, 0
pt:
	.quad 0x200000 + TABLE
	.fill 511, 8, 0
