/* SPDX-License-Identifier: MIT */
/*
 * Both CPUs to ring 3 of 64-bit mode, with one set of tables, all literals:
 * the first GiB by its own addresses, for ring 3 too, and the local APIC.
 *
 *   CPU 0:  PVH, 32 bits ------------------> long_mode -> smp_main(0)
 *   CPU 1:  SIPI, 16 bits at TRAMPOLINE ---> long_mode -> smp_main(1)
 *
 * smp_main returns, in ring 0, where ring 3 begins; ud2 there comes back to
 * smp_end (CPU 0 alone has a stack for that).
 */
#define TRAMPOLINE 0x8000
#define EFER 0xc0000080
#define LEAF 0xe7 /* 2 MiB, dirty, accessed, user, writable, present */
#define TABLE 0x67
#define STACK 0x4000

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
	mov %ebx, start_info
	mov $trampoline, %esi
	mov $TRAMPOLINE, %edi
	mov $(trampoline_end - trampoline), %ecx
	rep movsb
	xor %edi, %edi

	/* EDI: which CPU this is */
enter_long:
	mov $root, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x20, %eax		/* PAE */
	mov %eax, %cr4
	mov $EFER, %ecx
	rdmsr
	or $0x100, %eax		/* LME */
	wrmsr
	mov %cr0, %eax
	or $0x80000000, %eax	/* PG */
	mov %eax, %cr0
	lgdt gdt_at
	ljmp $0x08, $long_mode

	.code64
long_mode:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %edi, %ebp
	lea 1(%rdi), %esp	/* a stack for each: the ring-0 half of it */
	imul $STACK, %esp, %esp
	add $stacks, %esp
	lidt idt_at
	call smp_main		/* RAX: where ring 3 begins */
	mov %ebp, %edi
	test %edi, %edi
	jnz 1f
	mov $0x28, %ecx
	ltr %cx
1:
	lea -STACK/2(%rsp), %rdx
	push $0x1b		/* SS */
	push %rdx
	push $0x02		/* RFLAGS: no interrupts */
	push $0x23		/* CS */
	push %rax
	iretq

	.globl on_ud
on_ud:
	cld
	call smp_end

	/* Runs where it was copied to, in real mode: no address but these. */
	.code16
trampoline:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl TRAMPOLINE + gdt_copy - trampoline
	mov %cr0, %eax
	or $1, %eax		/* PE */
	mov %eax, %cr0
	ljmpl $0x38, $protected
gdt_copy:
	.word gdt_end - gdt - 1
	.long gdt
trampoline_end:

	.code32
protected:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $1, %edi
	jmp enter_long

	.data
	.balign 4096
root:	.quad giants + TABLE
	.fill 511, 8, 0
giants:	.quad low + TABLE, 0, 0, high + TABLE
	.fill 508, 8, 0
low:	.set i, 0
	.rept 512
	.quad (i << 21) + LEAF
	.set i, i + 1
	.endr
high:	.fill 0x1f7, 8, 0
	.quad 0xfee00000 + 0x9b	/* uncached, ring 0 */
	.fill 512 - 0x1f8, 8, 0

	.balign 16
gdt:	.quad 0
	.quad 0x00af9b000000ffff	/* 0x08: code, 64 bits */
	.quad 0x00cf93000000ffff	/* 0x10: data */
	.quad 0x00cff3000000ffff	/* 0x18: data, ring 3 */
	.quad 0x00affb000000ffff	/* 0x20: code, ring 3 */
	.word tss_end - tss - 1		/* 0x28: task state */
	.globl gdt_tss
gdt_tss: .word 0
	.byte 0, 0x89, 0, 0
	.quad 0
	.quad 0x00cf9b000000ffff	/* 0x38: code, 32 bits */
gdt_end:
gdt_at:	.word gdt_end - gdt - 1
	.quad gdt
	.globl idt
	.balign 16
idt:	.fill 32, 8, 0
idt_at:	.word idt_at - idt - 1
	.quad idt
	.globl tss
	.balign 16
tss:	.long 0
	.quad stacks + STACK	/* RSP0 */
	.fill 23, 4, 0
tss_end:
	.globl start_info
start_info: .quad 0

	.bss
	.balign 16
stacks:	.skip 2 * STACK

	.section .note.GNU-stack, "", @progbits
