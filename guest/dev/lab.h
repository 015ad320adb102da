/* SPDX-License-Identifier: MIT */
/*
 * Drivers of the hypervisor's own devices (guest/abi.h): the lab device, our
 * window on stage 2, without which every command answers -ENODEV and records go
 * nowhere; and the DMA engine.
 */
#ifndef GUEST_DEV_LAB_H
#define GUEST_DEV_LAB_H

#include "guest/abi.h"
#include "guest/mm/addr.h"

/* True when the hypervisor wants a record of every page fault. */
extern bool lab_tracing;

/* Map the device at @base; hand over the ring if it is wanted. */
void lab_init(pa_t base);

/* The command's result, or -errno. */
int64_t lab_command(enum lab_command command, uint64_t arg0, uint64_t arg1);

/* Append to the ring; only when lab_tracing. */
void lab_record(const struct lab_fault *fault);

/* Empty the ring and report the kernel's own count: before the run ends. */
void lab_finish(void);

/* The registers, 64 bits each (guest/abi.h); NULL: there are none. */
extern volatile uint64_t *lab_registers;

/* dma.c: the engine's registers lie at @base; @line is its interrupt. */
void dma_init(pa_t base, unsigned line);

#endif
