/* SPDX-License-Identifier: MIT */
/*
 * Drivers of the hypervisor's own devices (guest/abi.h): the lab device, our
 * window on stage 2, without which every command answers -ENODEV and records go
 * nowhere; and the DMA engine.
 */
#pragma once

#include "guest/boot/machine.h"

#define LAB_RECORDS 256u /* a power of two */

/* What the hypervisor sees: contiguous, because the kernel's image is. */
extern union lab_shared {
	struct lab_ring ring;
	uint8_t room[sizeof(struct lab_ring) +
		     LAB_RECORDS * sizeof(struct lab_fault)];
} lab_shared;

/* Does the hypervisor want a record of every page fault just now? */
static inline bool lab_tracing(void)
{
	return *(volatile uint32_t *)&lab_shared.ring.wanted;
}

/* The machine has it: map it and hand over the ring. */
void lab_init(void);

/* From now on CPU @cpu runs process @pid with the tables at @cr3. */
static inline void lab_runs(unsigned cpu, uint64_t cr3, uint32_t pid)
{
	struct lab_cpu *c = &lab_shared.ring.cpu[cpu];

	*(volatile uint64_t *)&c->cr3 = cr3;
	*(volatile uint32_t *)&c->pid = pid;
}

/* The command's result, or -errno. */
int64_t lab_command(enum lab_command command, uint64_t arg0, uint64_t arg1);

/* Append to the ring; only when lab_tracing(). */
void lab_record(const struct lab_fault *fault);

/* Empty the ring and report the kernel's own count: before the run ends. */
void lab_finish(void);

/* The registers, 64 bits each (guest/abi.h); NULL: there are none. */
extern volatile uint64_t *lab_registers;

/* dma.c: the machine has the engine. After apic_init. */
void dma_init(void);
