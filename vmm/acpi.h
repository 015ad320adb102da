/* SPDX-License-Identifier: MIT */
/*
 * ACPI's tables, for guests that take no device tree: CPUs, the IOAPIC, the
 * UART, the virtio devices, power-off and reset. The hardware-reduced profile
 * (ACPI 6.4, 4.1): no power-management block, no legacy timers or PICs. They
 * lie at BOOT_ACPI in one page, the RSDP first:
 *
 *   RSDP -> XSDT -> FADT -> DSDT (AML: the devices)
 *                -> MADT
 */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include "vmm/boot.h"

/* Into @to[BOOT_ACPI_BYTES]; how many bytes of it. */
size_t acpi_build(uint8_t *to, const struct boot_config *c);

#endif
