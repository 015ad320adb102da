/* SPDX-License-Identifier: MIT */
#include "guest/cpu/segment.h"

#include <stdalign.h>
#include <stdint.h>

#include "guest/cpu/selector.h"
#include "guest/mm/addr.h"

/* SDM vol. 3, 8.7: the 64-bit TSS. */
struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap;
} __attribute__((packed));

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static alignas(16) uint8_t trap_stack[2 * PAGE_SIZE];
static alignas(16) uint8_t double_fault_stack[PAGE_SIZE];

/* Where a trap from ring 3 begins; the syscall entry takes it from here. */
extern void *const trap_stack_top;
void *const trap_stack_top = trap_stack + sizeof(trap_stack);

static struct tss tss;

static uint64_t gdt[] = {
	0,
	0x00209b0000000000, /* ring 0 code, 64 bit */
	0x0000930000000000, /* ring 0 data */
	0x0000f30000000000, /* ring 3 data */
	0x0020fb0000000000, /* ring 3 code, 64 bit */
	0, /* TSS, filled in below */
	0,
};

static void set_tss_descriptor(void)
{
	uint64_t base = (uintptr_t)&tss;

	gdt[TSS_SEL / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 |
			   0x89ul << 40 | (base >> 24 & 0xff) << 56;
	gdt[TSS_SEL / 8 + 1] = base >> 32;
}

void segment_init(void)
{
	struct table_register r = { sizeof(gdt) - 1, (uintptr_t)gdt };

	tss.rsp[0] = (uintptr_t)trap_stack_top;
	tss.ist[IST_DOUBLE_FAULT - 1] =
		(uintptr_t)double_fault_stack + sizeof(double_fault_stack);
	tss.iomap = sizeof(tss);
	set_tss_descriptor();

	__asm__ volatile("lgdt %0\n\t"
			 "push %1\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "mov %2, %%ss\n\t"
			 "ltr %3"
			 :
			 : "m"(r), "i"(KERNEL_CS), "r"(KERNEL_SS),
			   "r"((uint16_t)TSS_SEL)
			 : "rax", "memory");
}
