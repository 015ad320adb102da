/* SPDX-License-Identifier: MIT */
/* The GDT and the task state segment of a processor (smp.h). */
#include "guest/cpu/smp.h"

#include <stdalign.h>

#include "guest/lib/string.h"

static alignas(16) uint8_t double_fault_stack[CPUS][PAGE_SIZE];

static const uint64_t descriptors[GDT_ENTRIES] = {
	0,
	0x00209b0000000000, /* ring 0 code, 64 bit */
	0x0000930000000000, /* ring 0 data */
	0x0000f30000000000, /* ring 3 data */
	0x0020fb0000000000, /* ring 3 code, 64 bit */
	0, /* TSS, filled in below */
	0,
};

void segment_init(struct cpu *c)
{
	const uint64_t base = (uintptr_t)&c->tss;

	c->tss.ist[IST_DOUBLE_FAULT - 1] =
		(uintptr_t)double_fault_stack[c->number] + PAGE_SIZE;
	c->tss.iomap = sizeof(c->tss);
	memcpy(c->gdt, descriptors, sizeof(c->gdt));
	c->gdt[TSS_SEL / 8] = (sizeof(c->tss) - 1) | (base & 0xffffff) << 16 |
			      0x89ul << 40 | (base >> 24 & 0xff) << 56;
	c->gdt[TSS_SEL / 8 + 1] = base >> 32;
	load_gdt(&(struct table_register){ sizeof(c->gdt) - 1,
					   (uintptr_t)c->gdt });
}
