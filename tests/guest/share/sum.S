/* SPDX-License-Identifier: MIT */
/*
 * A guest that is nothing but a reader of shared memory at 1 GiB, in 32-bit
 * protected mode without paging, as PVH starts it. It adds up a word of every
 * 512 bytes, prints the sum, and then, as the first letter of its command line
 * says:
 *
 *     s...   stays, until it is stopped
 *     w...   writes to every page first, which must change nothing; then ends
 *     else   ends, with status 0
 *
 * Eight words a page, because each instruction here may be an emulated one.
 */
#define SHARE  0x40000000
#define BYTES  0x1000000
#define STRIDE 512
#define UART   0x3f8
#define EXIT   0xf4

	.section .note.pvh, "a", @note
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.text
	.code32
	.globl start
start:
	movl $stack, %esp
	movl 24(%ebx), %esi /* hvm_start_info.cmdline_paddr */
	movb (%esi), %bl
	cmpb $'w', %bl
	jne 2f
	movl $SHARE, %edi
1:	movl $0xffffffff, (%edi)
	addl $4096, %edi
	cmpl $SHARE + BYTES, %edi
	jb 1b
2:	call sum
	call print
	cmpb $'s', %bl
	je 3f
	movl $EXIT, %edx
	xorl %eax, %eax
	outl %eax, %dx
3:	hlt
	jmp 3b

sum:
	xorl %ebp, %ebp
	movl $SHARE, %edi
1:	addl (%edi), %ebp
	addl $STRIDE, %edi
	cmpl $SHARE + BYTES, %edi
	jb 1b
	ret

/* %ebp as eight hexadecimal digits and a newline. */
print:
	movl $UART, %edx
	movl $8, %ecx
1:	roll $4, %ebp
	movl %ebp, %eax
	andl $15, %eax
	movb digits(%eax), %al
	outb %al, %dx
	loop 1b
	movb $'\n', %al
	outb %al, %dx
	ret

digits:
	.ascii "0123456789abcdef"

	.bss
	.balign 16
	.skip 256
stack:
