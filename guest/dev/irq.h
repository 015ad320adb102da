/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines of devices, through the IOAPIC (82093AA data sheet, 3.2):
 * level-triggered, to the first processor.
 */
#ifndef GUEST_DEV_IRQ_H
#define GUEST_DEV_IRQ_H

#include "guest/cpu/trap.h"

/* Map the IOAPIC. Needs mmio_map. */
void irq_init(void);

/*
 * Call @handler(@ctx) whenever line @line is raised: with interrupts off and
 * the kernel lock held. It must quiet the device, and must not sleep. Panics
 * where there is no such line.
 */
typedef void irq_fn(void *ctx);
void irq_connect(unsigned line, irq_fn *handler, void *ctx);

/* For trap.c: line @line was raised. */
void irq_raised(unsigned line);

#endif
