/* SPDX-License-Identifier: MIT */
/*
 * From the loader to C. PVH starts us in 32-bit protected mode, paging off,
 * EBX = struct hvm_start_info (SDM vol. 3, 10.8.5: entering IA-32e mode). The
 * other processors come in real mode, from the trampoline, with EBX = 0.
 *
 * The first tables are a literal. One page of 512 large pages covers the
 * first GiB of RAM, and one PDPT leads to it from three places at once:
 *
 *   PML4[0]   -> PDPT[0]    identity, until we have jumped away from it
 *   PML4[273] -> PDPT[0]    the direct map
 *   PML4[511] -> PDPT[510]  the kernel image
 *
 * kmap.c replaces them by tables with proper rights, and without the first.
 */
#include "guest/mm/layout.h"

#define PHYS(symbol) (symbol - KERNEL_BASE)

#define CR0_PG (1 << 31)
#define CR0_WP (1 << 16)
#define CR0_PE (1 << 0)
#define CR4_PAE (1 << 5)
#define EFER 0xc0000080
#define EFER_LME (1 << 8)

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad PHYS(pvh_start)

	.balign 4
	.long 8, 0, 1		/* guest/abi.h: ABI_NOTE_LAB */
	.asciz "twofold"

	.section .text.start, "ax"
	.code32
	.globl pvh_start
pvh_start:
	cld
	mov $PHYS(boot_pml4), %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4

	mov $EFER, %ecx
	rdmsr
	or $EFER_LME, %eax
	wrmsr

	mov %cr0, %eax
	or $(CR0_PG | CR0_WP | CR0_PE), %eax
	mov %eax, %cr0
	lgdt PHYS(boot_gdtr)
	ljmp $8, $PHYS(start64)

	.code64
start64:
	movabs $start_high, %rax
	jmp *%rax
start_high:
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	xor %ebp, %ebp
	mov %ebx, %edi
	test %ebx, %ebx
	jz 1f
	mov $boot_stack + 8192, %rsp	/* proc/process.h: STACK_BYTES */
	call kernel_main
1:	mov ap_stack, %rsp
	call cpu_main

/* Runs where smp.c copied it to, in real mode: no address but these. */
	.code16
	.globl ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl ap_gdtr - ap_trampoline
	mov %cr0, %eax
	or $CR0_PE, %eax
	mov %eax, %cr0
	ljmpl $16, $PHYS(ap_protected)
	.balign 4
ap_gdtr:
	.word boot_gdtr - boot_gdt - 1
	.long PHYS(boot_gdt)
ap_trampoline_end:

	.code32
ap_protected:
	mov $24, %eax
	mov %eax, %ds
	mov %eax, %ss
	xor %ebx, %ebx
	jmp pvh_start

	.section .rodata
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00209b0000000000	/* ring 0 code, 64 bit */
	.quad 0x00cf9b000000ffff	/* the same, 32 bit */
	.quad 0x00cf93000000ffff	/* data */
boot_gdtr:
	.word . - boot_gdt - 1
	.quad PHYS(boot_gdt)

#define TABLE 0x3		/* present, writable */
#define LARGE 0x83

	.section .data.page, "aw"
	.balign 4096
boot_pml4:
	.quad PHYS(boot_pdpt) + TABLE
	.fill 272, 8, 0
	.quad PHYS(boot_pdpt) + TABLE
	.fill 237, 8, 0
	.quad PHYS(boot_pdpt) + TABLE
boot_pdpt:
	.quad PHYS(boot_pd) + TABLE
	.fill 509, 8, 0
	.quad PHYS(boot_pd) + TABLE
	.quad 0
boot_pd:
	.set at, 0
	.rept 512
	.quad at + LARGE
	.set at, at + 0x200000
	.endr

	.section .bss.page, "aw", @nobits
	.balign 8192
	.globl boot_stack, ap_stack
boot_stack:			/* with the boot processor's idle process */
	.fill 8192
ap_stack:
	.quad 0

	.section .note.GNU-stack, "", @progbits
