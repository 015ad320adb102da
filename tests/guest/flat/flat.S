/* SPDX-License-Identifier: MIT */
/*
 * A flat binary that is told of its machine by multiboot: it checks what it
 * was told and that MSRs of nested virtualization are refused, and exits with
 * the number of the first check that failed, or 0.
 */
#define MAGIC	   0x1badb002
#define FLAGS	   0x10000 /* the header says what to load */
#define BOOT_MAGIC 0x2badb002
#define EXIT_PORT  0xf4

	.code32
	.globl start
start:	jmp begin
	.balign 4
header:	.long MAGIC, FLAGS, -(MAGIC + FLAGS)
	.long header, start, end, end + 0x2000, begin

/* Exit with @n unless the last comparison was equal. */
.macro check n
	movl $\n, %edi
	jne bad
.endm

/* Reading MSR @msr must be refused: then ESI is counted up. */
.macro refused msr, n
	movl $\msr, %ecx
	xorl %esi, %esi
	movl $1f, %ebp
	rdmsr
1:	cmpl $1, %esi
	check \n
.endm

begin:	movl $end + 0x1000, %esp
	cmpl $BOOT_MAGIC, %eax
	check 1
	movl (%ebx), %eax	/* memory, command line, module, map */
	andl $0x4d, %eax
	cmpl $0x4d, %eax
	check 2
	cmpl $63 * 1024, 8(%ebx) /* KiB above the first MiB */
	check 3
	movl 16(%ebx), %eax
	cmpl $0x6e72656b, (%eax) /* "kern", the name */
	check 4
	cmpl $0x74786574, 7(%eax) /* "text", what was given */
	check 5
	cmpl $1, 20(%ebx)
	check 6
	movl 24(%ebx), %eax
	movl (%eax), %eax	/* the module's first bytes */
	cmpl $0x75646f6d, (%eax) /* "modu" */
	check 7

	lgdt gdtr
	ljmp $8, $1f
1:	movl $16, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl $fault, %eax
	movw %ax, gate_gp
	shrl $16, %eax
	movw %ax, gate_gp + 6
	lidt idtr
	refused 0x480, 8	/* IA32_VMX_BASIC */
	refused 0x48b, 9	/* IA32_VMX_PROCBASED_CTLS2 */
	refused 0xc0010117, 10	/* VM_HSAVE_PA */
	movl $1, %eax
	cpuid
	testl $1 << 5, %ecx	/* VMX */
	setnz %al
	testb %al, %al
	check 11
	xorl %edi, %edi
bad:	movl %edi, %eax
	outl %eax, $EXIT_PORT
	hlt

/* General protection: go on where EBP says; nothing else needs the stack. */
fault:	incl %esi
	movl $end + 0x1000, %esp
	jmp *%ebp

	.balign 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:	.word gdtr - gdt - 1
	.long gdt
	.balign 8
idt:	.fill 13, 8, 0
gate_gp:
	.word 0, 8, 0x8e00, 0
idtr:	.word idtr - idt - 1
	.long idt
end:
