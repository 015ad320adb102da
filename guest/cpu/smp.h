/* SPDX-License-Identifier: MIT */
/*
 * The processors: what each has of its own, and how the others are started.
 *
 * What 64-bit mode leaves of segmentation is of its own, too: rings 0 and 3,
 * and the task state segment, which says where the stack of a trap from ring 3
 * begins.
 */
#pragma once

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

/*
 * The kernel lock: one processor at a time is in the kernel. It is taken on
 * the way in (cpu/trap.c) and dropped on the way out or where the processor
 * goes idle; a process that sleeps passes it to the next.
 *
 * Whoever comes when it is free has it. To serve in order would be fairer and
 * much slower: a processor of a virtual machine does not always run, and all
 * behind it in the order would wait for it. Who waits answers requests to flush
 * its TLB (cpu/tlb.h), or the one in the kernel would wait for it for ever.
 */
extern bool kernel_locked;

static inline void kernel_lock(void)
{
	while (__atomic_exchange_n(&kernel_locked, true, __ATOMIC_ACQUIRE))
		do {
			tlb_answer();
			__asm__ volatile("pause");
		} while (__atomic_load_n(&kernel_locked, __ATOMIC_RELAXED));
}

static inline void kernel_unlock(void)
{
	__atomic_store_n(&kernel_locked, false, __ATOMIC_RELEASE);
}

/* The boot processor's part, before there are interrupts or memory. */
void smp_init_boot(void);

/* Start the others, @count processors in all. With the kernel lock held. */
void smp_start(unsigned count);
