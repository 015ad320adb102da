/* SPDX-License-Identifier: MIT */
/* The processors: what each has of its own, and how the others are started. */
#ifndef GUEST_CPU_SMP_H
#define GUEST_CPU_SMP_H

#include "guest/cpu/segment.h"
#include "guest/cpu/tlb.h"
#include "guest/proc/process.h"

#define CPUS 8u

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

/* The boot processor's part, before there are interrupts or memory. */
void smp_init_boot(void);

/* Start the others, @count processors in all. With the kernel lock held. */
void smp_start(unsigned count);

#endif
