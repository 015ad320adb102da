/* SPDX-License-Identifier: MIT */
/*
 * ACPI's tables, for guests that take no device tree: CPUs, the IOAPIC, the
 * UART, the virtio devices, power-off and reset. The hardware-reduced profile
 * (ACPI 6.4, 4.1): no power-management block, no legacy timers or PICs. They
 * lie at BOOT_ACPI in one page, the RSDP first:
 *
 *   RSDP -> XSDT -> FADT -> DSDT (AML: the devices)
 *                        -> FACS, where one can suspend to RAM
 *                -> MADT
 */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include "vmm/boot.h"

/* Where in BOOT_ACPI the FACS is, and in it where to go on (5.2.10). */
#define ACPI_FACS	 64u
#define ACPI_FACS_BYTES	 64u
#define ACPI_FACS_WAKING (ACPI_FACS + 12)

/* Into @to[BOOT_ACPI_BYTES]; how many bytes of it. */
size_t acpi_build(uint8_t *to, const struct boot_config *c);

#endif
