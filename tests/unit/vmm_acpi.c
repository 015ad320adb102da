/* SPDX-License-Identifier: MIT */
/* ACPI's tables, walked as a guest walks them, by the offsets of ACPI 6.4 and
 * not by our own names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/acpi.h"

#define AT 0xff000u

static uint8_t page[4096];

static uint64_t number(uint64_t at, unsigned bytes)
{
	uint64_t v = 0;

	assert_in_range(at, AT, AT + sizeof(page) - bytes);
	memcpy(&v, page + (at - AT), bytes);
	return v;
}

static void check_sum(uint64_t at, uint64_t len)
{
	uint8_t sum = 0;

	for (uint64_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + number(at + i, 1));
	assert_int_equal(sum, 0);
}

/* A table's length, its signature and sum found right. */
static uint64_t check_table(uint64_t at, const char *signature)
{
	uint64_t len = number(at + 4, 4);

	assert_memory_equal(page + (at - AT), signature, 4);
	check_sum(at, len);
	return len;
}

static uint64_t xsdt(void)
{
	assert_memory_equal(page, "RSD PTR ", 8);
	check_sum(AT, 20);
	check_sum(AT, 36);
	assert_int_equal(number(AT + 15, 1), 2);
	assert_int_equal(number(AT + 20, 4), 36);
	assert_int_equal(check_table(number(AT + 24, 8), "XSDT"), 36 + 16);
	return number(AT + 24, 8);
}

static void build(unsigned cpus, unsigned virtio_devices)
{
	const struct boot_config c = { .cpus = cpus, .virtio = virtio_devices };
	size_t len;

	memset(page, 0, sizeof(page));
	len = acpi_build(page, &c);
	assert_in_range(len, 1, sizeof(page));
}

static void power_is_hardware_reduced(void **state)
{
	uint64_t fadt;

	(void)state;
	build(1, 0);
	fadt = number(xsdt() + 36, 8);
	assert_int_equal(check_table(fadt, "FACP"), 276);
	assert_int_equal(number(fadt + 8, 1), 6); /* revision */
	assert_int_equal(number(fadt + 109, 2) & 1 << 1, 0); /* no 8042 */
	assert_true(number(fadt + 112, 4) & 1 << 20); /* reduced */
	assert_true(number(fadt + 112, 4) & 1 << 10); /* can be reset */
	/* 8 bits wide, at an I/O port: reset by 0xfe to 0x64 */
	assert_int_equal(number(fadt + 116, 4), 0x01000801);
	assert_int_equal(number(fadt + 120, 8), 0x64);
	assert_int_equal(number(fadt + 128, 1), 0xfe);
	assert_int_equal(number(fadt + 244, 4), 0x01000801); /* sleep control */
	assert_int_equal(number(fadt + 248, 8), 0x600);
	assert_int_equal(number(fadt + 256, 4), 0x01000801); /* and status */
	assert_int_equal(number(fadt + 260, 8), 0x601);
	assert_int_equal(number(fadt + 108, 1), 0x32); /* the century */
	for (unsigned i = 46; i < 108; i++) /* no legacy block at all */
		assert_int_equal(number(fadt + i, 1), 0);
}

/* With a FACS, and a second byte of PM1 control that is sleep control. */
static void who_can_suspend_is_told_how(void **state)
{
	const struct boot_config c = { .cpus = 1, .suspend = true };
	uint64_t fadt;

	(void)state;
	memset(page, 0, sizeof(page));
	acpi_build(page, &c);
	fadt = number(xsdt() + 36, 8);
	assert_int_equal(check_table(fadt, "FACP"), 276);
	assert_int_equal(number(fadt + 36, 4), AT + 64);
	assert_memory_equal(page + 64, "FACS", 4);
	assert_int_equal(number(AT + 68, 4), 64);
	assert_int_equal(number(AT + 76, 4), 0); /* the waking vector */
	assert_int_equal(number(fadt + 64, 4), 0x5ff);
	assert_int_equal(number(fadt + 248, 8), 0x600);
}

static void each_cpu_has_its_apic(void **state)
{
	uint64_t madt;

	(void)state;
	build(8, 0);
	madt = number(xsdt() + 44, 8);
	assert_int_equal(check_table(madt, "APIC"), 44 + 8 * 8 + 12);
	assert_int_equal(number(madt + 36, 4), 0xfee00000);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(number(madt + 44 + 8 * i, 2), 0x0800);
		assert_int_equal(number(madt + 46 + 8 * i, 1), i);
		assert_int_equal(number(madt + 47 + 8 * i, 1), i);
		assert_int_equal(number(madt + 48 + 8 * i, 4), 1);
	}
	assert_int_equal(number(madt + 108, 2), 0x0c01);
	assert_int_equal(number(madt + 112, 4), 0xfec00000);
	assert_int_equal(number(madt + 116, 4), 0);
}

/* A package of AML at @at behind its opcode: where it ends. */
static uint64_t package_end(uint64_t at)
{
	assert_int_equal(number(at, 1) & 0xf0, 0x40); /* two bytes */
	return at + ((number(at, 1) & 0xf) | number(at + 1, 1) << 4);
}

/* The device at @at, which has _HID, _UID and _CRS; where it ends. */
static uint64_t check_virtio(uint64_t at, unsigned slot)
{
	uint64_t end = package_end(at + 2), crs;
	char name[8];

	snprintf(name, sizeof(name), "VR%02u", slot);
	assert_int_equal(number(at, 2), 0x825b);
	assert_memory_equal(page + (at + 4 - AT), name, 4);
	assert_memory_equal(page + (at + 8 - AT), "\x08_HID\x0dLNRO0005", 15);
	assert_memory_equal(page + (at + 23 - AT), "\x08_UID\x0c", 6);
	assert_int_equal(number(at + 29, 4), slot);
	assert_memory_equal(page + (at + 33 - AT), "\x08_CRS\x11", 6);
	crs = at + 39;
	assert_int_equal(package_end(crs), end);
	assert_int_equal(number(crs + 2, 1), 0x0b);
	assert_int_equal(number(crs + 3, 2), 12 + 9 + 2); /* the buffer */
	crs += 5;
	assert_int_equal(number(crs, 4), 0x01000986); /* memory, writable */
	assert_int_equal(number(crs + 4, 4), 0xd0010000 + 0x1000 * slot);
	assert_int_equal(number(crs + 8, 4), 0x1000);
	assert_int_equal(number(crs + 12, 5), 0x0101000689); /* level, high */
	assert_int_equal(number(crs + 17, 4), 10 + slot);
	assert_int_equal(number(crs + 21, 2), 0x0079);
	assert_int_equal(crs + 23, end);
	return end;
}

static void every_virtio_device_is_named(void **state)
{
	uint64_t dsdt, len, end, at;

	(void)state;
	build(1, ABI_VIRTIO_SLOTS);
	dsdt = number(number(xsdt() + 36, 8) + 140, 8);
	len = check_table(dsdt, "DSDT");
	/* \_S5: the value that the sleep control register takes */
	assert_memory_equal(page + (dsdt + 36 - AT),
			    "\x08_S5_\x12\x47\x00\x02\x0a\x05\x0a\x05", 13);
	at = dsdt + 49;
	assert_int_equal(number(at, 1), 0x10);
	end = package_end(at + 1);
	assert_int_equal(end, dsdt + len);
	assert_memory_equal(page + (at + 3 - AT), "_SB_", 4);
	at = package_end(at + 7 + 2); /* the UART */
	for (unsigned i = 0; i < ABI_VIRTIO_SLOTS; i++)
		at = check_virtio(at, i);
	assert_int_equal(at, end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_is_hardware_reduced),
		cmocka_unit_test(who_can_suspend_is_told_how),
		cmocka_unit_test(each_cpu_has_its_apic),
		cmocka_unit_test(every_virtio_device_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
