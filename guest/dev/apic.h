/* SPDX-License-Identifier: MIT */
/*
 * Interrupts. Each processor has a local APIC, with a timer that ticks
 * TICKS_PER_SECOND times a second. The lines of devices come through the
 * IOAPIC to the first processor.
 */
#pragma once

#include "guest/boot/machine.h"
#include "guest/cpu/trap.h"

#define TICKS_PER_SECOND 100u

/* Mask the 8259s, map the registers, lapic_init_cpu. Needs mmio_map. */
void apic_init(void);

/* Enable this processor's APIC and start its timer. */
void lapic_init_cpu(void);

/*
 * Interrupt processor @to: a vector, LAPIC_INIT to reset it, or LAPIC_STARTUP
 * and the number of the page where it is to start.
 */
enum { LAPIC_INIT = 5 << 8, LAPIC_STARTUP = 6 << 8 };
void lapic_send(unsigned to, uint32_t what);

/* End the interrupt. */
void lapic_end(void);

/* Ticks so far: the boot processor counts. */
extern uint64_t lapic_ticks;

/* Its registers, 32 bits each, 16 bytes apart. */
#define LAPIC_VERSION 0x30
extern volatile uint32_t *lapic;

/*
 * Call @handler(@ctx) whenever @device's line is raised: with interrupts off and
 * the kernel lock held. It must quiet the device, and must not sleep. Panics
 * where there is no such line.
 */
typedef void irq_fn(void *ctx);
void irq_connect(const struct spot *device, irq_fn *handler, void *ctx);

/* For trap.c: line @line was raised. */
void irq_raised(unsigned line);
