/* SPDX-License-Identifier: MIT */
/*
 * Fields are named as ACPI 6.4 names them: 5.2.5 RSDP, 5.2.6 header, 5.2.8
 * XSDT, 5.2.9 FADT, 5.2.12 MADT; 6.4 resources.
 */
#include "vmm/acpi.h"

#include <stdio.h>
#include <string.h>

#include "devices/power.h"
#include "vmm/aml.h"

#define IOAPIC_BASE 0xfec00000u
#define LAPIC_BASE  0xfee00000u

#define RTC_CENTURY 0x32 /* where devices/rtc.c has it */

#define OP_SCOPE    0x10
#define OP_BUFFER   0x11
#define OP_PACKAGE  0x12
#define OP_DEVICE   0x825b
#define OP_BYTE	    0x0a
#define OP_WORD	    0x0b

/* EISA identifiers, compressed (6.1.5). */
#define PNP0501 0x0105d041u /* a 16550A */

enum { FADT_BYTES = 276, FADT_REVISION = 6, FADT_MINOR = 4 };

enum fadt_flag {
	FADT_WBINVD = 1 << 0,
	FADT_PWR_BUTTON = 1 << 4, /* there is none */
	FADT_SLP_BUTTON = 1 << 5, /* nor such */
	FADT_RESET_REG_SUP = 1 << 10,
	FADT_HW_REDUCED_ACPI = 1 << 20
};

enum fadt_boot_arch {
	FADT_VGA_NOT_PRESENT = 1 << 2,
	FADT_MSI_NOT_SUPPORTED = 1 << 3
};

static uint8_t sum(const uint8_t *bytes, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s = (uint8_t)(s + *bytes++);
	return s;
}

static void pad_to(struct aml *a, size_t len)
{
	while (a->len < len)
		aml_number(a, 0, 1);
}

/* The header that all tables have; table_end fills length and checksum. */
static size_t table_begin(struct aml *a, const char *signature,
			  unsigned revision)
{
	size_t at;

	pad_to(a, (a->len + 15) & ~(size_t)15);
	at = a->len;
	aml_text(a, signature);
	aml_number(a, 0, 4);
	aml_number(a, revision, 1);
	aml_number(a, 0, 1);
	aml_text(a, "2FOLD TWOFOLD ");
	aml_number(a, 1, 4);
	aml_text(a, "2FLD");
	aml_number(a, 1, 4);
	return at;
}

static void table_end(struct aml *a, size_t at)
{
	uint32_t len = (uint32_t)(a->len - at);

	memcpy(a->to + at + 4, &len, sizeof(len));
	a->to[at + 9] = (uint8_t)-sum(a->to + at, len);
}

/* A Generic Address Structure (5.2.3.2): an 8-bit port. */
static void port(struct aml *a, uint16_t number)
{
	aml_number(a, 1, 1);
	aml_number(a, 8, 1);
	aml_number(a, 0, 1);
	aml_number(a, 1, 1);
	aml_number(a, number, 8);
}

/* A system with reduced hardware may have a FACS (5.2.10); who wants to suspend
 * the machine needs it, and the PM1 control register. */
static size_t fadt(struct aml *a, const struct boot_config *c, size_t dsdt)
{
	size_t at = table_begin(a, "FACP", FADT_REVISION);

	if (c->suspend) {
		aml_number(a, BOOT_ACPI + ACPI_FACS, 4);
		pad_to(a, at + 64);
		aml_number(a, POWER_PM1_PORT, 4);
	}
	pad_to(a, at + 108); /* all before: not in the reduced profile */
	aml_number(a, RTC_CENTURY, 1);
	aml_number(a, FADT_VGA_NOT_PRESENT | FADT_MSI_NOT_SUPPORTED, 2);
	aml_number(a, 0, 1);
	aml_number(a,
		   FADT_WBINVD | FADT_PWR_BUTTON | FADT_SLP_BUTTON |
			   FADT_RESET_REG_SUP | FADT_HW_REDUCED_ACPI,
		   4);
	port(a, POWER_RESET_PORT);
	aml_number(a, POWER_RESET, 1);
	pad_to(a, at + 131);
	aml_number(a, FADT_MINOR, 1);
	pad_to(a, at + 140);
	aml_number(a, BOOT_ACPI + dsdt, 8);
	pad_to(a, at + 244);
	port(a, POWER_SLEEP_PORT);
	port(a, POWER_SLEEP_PORT + POWER_SLEEP_STATUS);
	pad_to(a, at + FADT_BYTES);
	table_end(a, at);
	return at;
}

static void facs(struct aml *a)
{
	size_t at = a->len;

	aml_text(a, "FACS");
	aml_number(a, ACPI_FACS_BYTES, 4);
	pad_to(a, at + ACPI_FACS_BYTES);
}

static size_t madt(struct aml *a, unsigned cpus)
{
	size_t at = table_begin(a, "APIC", 5);

	aml_number(a, LAPIC_BASE, 4);
	aml_number(a, 0, 4); /* no PICs */
	for (unsigned i = 0; i < cpus; i++) {
		aml_number(a, 0x0800, 2); /* a local APIC, 8 bytes */
		aml_number(a, i, 1); /* the processor's number */
		aml_number(a, i, 1); /* the APIC's */
		aml_number(a, 1, 4); /* enabled */
	}
	aml_number(a, 0x0c01, 2); /* an I/O APIC, 12 bytes */
	aml_number(a, 0, 2);
	aml_number(a, IOAPIC_BASE, 4);
	aml_number(a, 0, 4); /* its first interrupt */
	table_end(a, at);
	return at;
}

/* _CRS: a buffer of resources, which is opened twice. */
struct resources {
	size_t buffer, size, first;
};

static struct resources resources_open(struct aml *a)
{
	struct resources r;

	aml_name(a, "_CRS");
	r.buffer = aml_open(a, OP_BUFFER);
	aml_number(a, OP_WORD, 1);
	r.size = a->len;
	aml_number(a, 0, 2);
	r.first = a->len;
	return r;
}

static void resources_close(struct aml *a, struct resources r)
{
	uint16_t len;

	aml_number(a, 0x79, 2); /* the end tag, its sum not used */
	len = (uint16_t)(a->len - r.first);
	memcpy(a->to + r.size, &len, sizeof(len));
	aml_close(a, r.buffer);
}

/* An Extended Interrupt Descriptor: this device's own, active high. */
static void interrupt(struct aml *a, uint32_t line, bool edge)
{
	aml_number(a, 0x89, 1);
	aml_number(a, 6, 2);
	aml_number(a, edge ? 3 : 1, 1);
	aml_number(a, 1, 1);
	aml_number(a, line, 4);
}

static void uart(struct aml *a)
{
	size_t device = aml_open(a, OP_DEVICE);
	struct resources r;

	aml_text(a, "COM1");
	aml_name_number(a, "_HID", PNP0501);
	aml_name_number(a, "_UID", 1);
	r = resources_open(a);
	aml_number(a, 0x0147, 2); /* an I/O port, 16 bits decoded */
	aml_number(a, ABI_UART_PORT, 2);
	aml_number(a, ABI_UART_PORT, 2);
	aml_number(a, 1, 1);
	aml_number(a, ABI_UART_PORTS, 1);
	interrupt(a, ABI_UART_IRQ, true);
	resources_close(a, r);
	aml_close(a, device);
}

static void virtio(struct aml *a, unsigned slot)
{
	size_t device = aml_open(a, OP_DEVICE);
	struct resources r;
	char name[8];

	snprintf(name, sizeof(name), "VR%02u", slot % 100);
	aml_text(a, name);
	aml_name_text(a, "_HID", "LNRO0005");
	aml_name_number(a, "_UID", slot);
	r = resources_open(a);
	aml_number(a, 0x86, 1); /* 32-bit fixed memory, to be written */
	aml_number(a, 9, 2);
	aml_number(a, 1, 1);
	aml_number(a, ABI_VIRTIO_BASE + slot * ABI_VIRTIO_SIZE, 4);
	aml_number(a, ABI_VIRTIO_SIZE, 4);
	interrupt(a, ABI_VIRTIO_IRQ + slot, false);
	resources_close(a, r);
	aml_close(a, device);
}

/* \_S5: the value that the sleep control register takes for power-off. */
static void soft_off(struct aml *a)
{
	size_t package;

	aml_name(a, "_S5_");
	package = aml_open(a, OP_PACKAGE);
	aml_number(a, 2, 1);
	for (unsigned i = 0; i < 2; i++) {
		aml_number(a, OP_BYTE, 1);
		aml_number(a, POWER_SLEEP_OFF, 1);
	}
	aml_close(a, package);
}

static size_t dsdt(struct aml *a, const struct boot_config *c)
{
	size_t at = table_begin(a, "DSDT", 2), scope;

	soft_off(a);
	scope = aml_open(a, OP_SCOPE);
	aml_text(a, "_SB_");
	uart(a);
	for (unsigned i = 0; i < c->virtio; i++)
		virtio(a, i);
	aml_close(a, scope);
	table_end(a, at);
	return at;
}

static size_t xsdt(struct aml *a, size_t fadt_at, size_t madt_at)
{
	size_t at = table_begin(a, "XSDT", 1);

	aml_number(a, BOOT_ACPI + fadt_at, 8);
	aml_number(a, BOOT_ACPI + madt_at, 8);
	table_end(a, at);
	return at;
}

enum { RSDP_BYTES = 36, RSDP_FIRST = 20 }; /* the first part has a sum */

static void rsdp(uint8_t *to, size_t xsdt_at)
{
	struct aml a = { .to = to, .room = RSDP_BYTES };

	aml_text(&a, "RSD PTR ");
	aml_number(&a, 0, 1);
	aml_text(&a, "2FOLD ");
	aml_number(&a, 2, 1); /* revision */
	aml_number(&a, 0, 4); /* no RSDT */
	aml_number(&a, RSDP_BYTES, 4);
	aml_number(&a, BOOT_ACPI + xsdt_at, 8);
	aml_number(&a, 0, 4);
	to[8] = (uint8_t)-sum(to, RSDP_FIRST);
	to[32] = (uint8_t)-sum(to, RSDP_BYTES);
}

size_t acpi_build(uint8_t *to, const struct boot_config *c)
{
	struct aml a = { .to = to, .room = BOOT_ACPI_BYTES };
	size_t dsdt_at, fadt_at, madt_at;

	pad_to(&a, ACPI_FACS);
	if (c->suspend)
		facs(&a);
	dsdt_at = dsdt(&a, c);
	fadt_at = fadt(&a, c, dsdt_at);
	madt_at = madt(&a, c->cpus);
	rsdp(to, xsdt(&a, fadt_at, madt_at));
	return a.len;
}
