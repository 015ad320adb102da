/* SPDX-License-Identifier: MIT */
/* The local APIC: one timer, TICKS_PER_SECOND times a second. */
#ifndef GUEST_DEV_LAPIC_H
#define GUEST_DEV_LAPIC_H

#include <stdint.h>

#define TICKS_PER_SECOND 100u

/* Mask the 8259s, enable the APIC, start the timer. Needs mmio_map. */
void lapic_init(void);

/* End the interrupt. */
void lapic_end(void);

/* Count a tick and end the interrupt. */
void lapic_tick(void);

/* Ticks since lapic_init. */
uint64_t lapic_ticks(void);

/* Its registers as the kernel sees them, and its version register. */
uintptr_t lapic_va(void);
uint32_t lapic_version(void);

#endif
