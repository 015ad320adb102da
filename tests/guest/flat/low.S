/* SPDX-License-Identifier: MIT */
/*
 * A multiboot kernel below 1 MiB that goes on in real mode, as a program for
 * the bare PC does: interrupt 11 comes at the vector at which firmware puts it.
 * Its line is a port of the test device's (devices/testdev.h). Then it suspends
 * the machine, until the clock's next second. Exits with 0 when the interrupt
 * came and it was woken where it said, with 1 when it was not suspended.
 */
#define MAGIC	  0x1badb002
#define FLAGS	  0x10000 /* the header says what to load */
#define IRQ	  11
#define VECTOR	  (0x70 + IRQ - 8)
#define LINES	  0x2000
#define EXIT_PORT 0xf4
#define PM1	  0x5ff
#define SUSPEND	  (1 << 13 | 1 << 10) /* SLP_EN, type 1 */
#define WAKING	  0xff04c /* the FACS's waking vector */

.macro clock index, value
	movb $\index, %al
	outb %al, $0x70
	movb $\value, %al
	outb %al, $0x71
.endm

	.code32
	.globl start
start:	jmp begin
	.balign 4
header:	.long MAGIC, FLAGS, -(MAGIC + FLAGS)
	.long header, start, end, end, begin

begin:	lgdt gdtr
	lidt idtr
	ljmp $8, $narrow
	.code16
narrow:	movw $16, %ax
	movw %ax, %ss
	movw %ax, %ds
	movl %cr0, %eax
	andb $~1, %al
	movl %eax, %cr0
	ljmp $0, $real
real:	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %ss
	movw $start, %sp	/* down from where we are */
	movw $came, VECTOR * 4
	movw %ax, VECTOR * 4 + 2
	movw $LINES + IRQ, %dx
	movl $1, %eax
	outl %eax, %dx
	xorl %eax, %eax
	outl %eax, %dx
	sti
1:	hlt
	jmp 1b
came:	clock 1, 0xc0	/* the alarm: each second, */
	clock 3, 0xc0	/* of each minute, */
	clock 5, 0xc0	/* of each hour */
	clock 0xb, 0x22	/* and on */
	movw $WAKING >> 4, %ax
	movw %ax, %ds
	movl $woken, WAKING & 0xf
	movw $PM1, %dx
	movw $SUSPEND, %ax
	outw %ax, %dx
	movl $1, %edi
	jmp out
	.balign 16
woken:	movw %ds, %di	/* 0, as after reset */
	movzwl %di, %edi
	movw %cs, %ax	/* and CS is its paragraph */
	shlw $4, %ax
	cmpw $woken, %ax
	je out
	movl $2, %edi
out:	movl %edi, %eax
	movw $EXIT_PORT, %dx
	outl %eax, %dx
	hlt

	.balign 8
gdt:	.quad 0, 0x00009b000000ffff, 0x000093000000ffff
gdtr:	.word gdtr - gdt - 1
	.long gdt
idtr:	.word 0x3ff	/* the first KiB, as after reset */
	.long 0
end:
