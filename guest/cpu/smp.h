/* SPDX-License-Identifier: MIT */
/*
 * The processors: what each has of its own, and how the others are started.
 *
 * What 64-bit mode leaves of segmentation is of its own, too: rings 0 and 3,
 * and the task state segment, which says where the stack of a trap from ring 3
 * begins.
 */
#ifndef GUEST_CPU_SMP_H
#define GUEST_CPU_SMP_H

#include "guest/cpu/tlb.h"
#include "guest/proc/process.h"

#define CPUS	    8u
#define GDT_ENTRIES 7

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

/* What lgdt and lidt read. */
struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

void load_gdt(const struct table_register *r);
void load_idt(const struct table_register *r);

/* trap.S knows the first two by their place: syscall brings no stack along. */
struct cpu {
	uint64_t stack; /* top of the running process's */
	uint64_t user_rsp;
	unsigned number; /* and the id of its local APIC */
	bool resched; /* the running process has had its turn */
	struct process *running, *idle;
	struct tlb tlb;
	struct tss tss;
	uint64_t gdt[GDT_ENTRIES];
};

extern struct cpu cpus[CPUS];
extern unsigned cpu_count; /* that are online */

static inline struct cpu *this_cpu(void)
{
	return &cpus[current()->cpu];
}

/* Make @c's tables, and have this processor, which is @c, use them. */
void segment_init(struct cpu *c);

/* The boot processor's part, before there are interrupts or memory. */
void smp_init_boot(void);

/* Start the others, @count processors in all. With the kernel lock held. */
void smp_start(unsigned count);

#endif
