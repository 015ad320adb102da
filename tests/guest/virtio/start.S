/* SPDX-License-Identifier: MIT */
/*
 * From PVH's 32-bit protected mode to main in 64-bit mode, ring 0. The tables
 * are literals: the first GiB of RAM and the last GiB below 4 GiB, where the
 * devices are, each address mapped to itself in pages of 2 MiB.
 */
#define EFER 0xc0000080
#define LARGE 0xe3 /* 2 MiB, dirty, accessed, writable, present */
#define TABLE 0x63

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad start

	.text
	.code32
	.globl start
start:
	cld
	mov $root, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $(1 << 5), %eax	/* PAE */
	mov %eax, %cr4
	mov $EFER, %ecx
	rdmsr
	or $(1 << 8), %eax	/* LME */
	wrmsr
	mov %cr0, %eax
	or $(1 << 31), %eax	/* PG */
	mov %eax, %cr0
	lgdt gdtr
	ljmp $8, $long_mode

	.code64
long_mode:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stack_end, %esp
	mov %ebx, %edi		/* struct hvm_start_info */
	call main
	ud2

	.globl interrupt_entry
interrupt_entry:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	call on_interrupt
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	iretq

	.data
	.balign 4096
root:	.quad upper + TABLE
	.fill 511, 8, 0
upper:	.quad ram + TABLE, 0, 0, mmio + TABLE
	.fill 508, 8, 0
	.set at, 0
ram:	.rept 512
	.quad at + LARGE
	.set at, at + 0x200000
	.endr
	.set at, 0xc0000000
mmio:	.rept 512
	.quad at + LARGE
	.set at, at + 0x200000
	.endr
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:	.word . - gdt - 1
	.long gdt

	.bss
	.balign 16
	.skip 8192
stack_end:
