/* SPDX-License-Identifier: MIT */
/* The local APIC: one timer, TICKS_PER_SECOND times a second. */
#ifndef GUEST_DEV_LAPIC_H
#define GUEST_DEV_LAPIC_H

#include <stdint.h>

#define TICKS_PER_SECOND 100u

/* Mask the 8259s, map the registers, lapic_init_cpu. Needs mmio_map. */
void lapic_init(void);

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

/* Count a tick: the boot processor does. */
void lapic_tick(void);

/* Ticks since lapic_init. */
uint64_t lapic_ticks(void);

/* Its registers, 32 bits each, 16 bytes apart. */
#define LAPIC_VERSION 0x30
extern volatile uint32_t *lapic;

#endif
