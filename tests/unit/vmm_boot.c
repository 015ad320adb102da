/* SPDX-License-Identifier: MIT */
/*
 * What the guest finds at start, read back by the offsets of Xen's ABI and not
 * by our own structs. The device tree: vmm_devtree.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/boot.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* The first MiB of guest memory. */
static uint8_t memory[1 << 20];
static unsigned writes, fail_nth;

static bool write_memory(void *ctx, gpa_t at, const void *from, size_t len)
{
	assert_ptr_equal(ctx, memory);
	/* nothing of boot's reaches the page of zeros or the legacy hole */
	assert_true((at.v >= 0x1000 && range_within(at.v, len, 0xa0000)) ||
		    range_within(at.v - 0xff000, len, 0x1000));
	if (++writes == fail_nth)
		return false;
	memcpy(memory + at.v, from, len);
	return true;
}

static const struct boot_memory guest = { write_memory, memory };

static struct complaint why;
static struct image image;
static struct boot_cpu cpu;
static bool lab;

static int setup(void **state)
{
	(void)state;
	memset(memory, 0xa5, sizeof(memory));
	writes = fail_nth = 0;
	image = (struct image){ .protocol = BOOT_PVH, .entry = 0x1234567 };
	lab = false;
	return 0;
}

static bool boot(const struct ram *ram, const char *cmdline)
{
	const struct boot_config c = { .ram = ram,
				       .image = &image,
				       .cmdline = cmdline,
				       .cpus = 2,
				       .tsc_hz = 1000000000,
				       .lab = lab };

	return boot_write(&c, guest, &cpu, &why);
}

static uint32_t word(uint64_t at)
{
	uint32_t v;

	assert_true(range_within(at, sizeof(v), sizeof(memory)));
	memcpy(&v, memory + at, sizeof(v));
	return v;
}

static uint64_t quad(uint64_t at)
{
	return word(at) | (uint64_t)word(at + 4) << 32;
}

static void start_info_is_version_1(void **state)
{
	struct ram ram = ram_layout(512 * MIB);

	(void)state;
	assert_true(boot(&ram, "hello world"));
	assert_int_equal(word(BOOT_START_INFO), 0x336ec578); /* magic */
	assert_int_equal(word(BOOT_START_INFO + 4), 1); /* version */
	assert_int_equal(word(BOOT_START_INFO + 8), 0); /* flags */
	assert_int_equal(word(BOOT_START_INFO + 12), 2); /* nr_modules */
	assert_int_equal(quad(BOOT_START_INFO + 24), BOOT_CMDLINE_AT);
	assert_int_equal(quad(BOOT_START_INFO + 32), 0xff000); /* rsdp_paddr */
	assert_int_equal(word(BOOT_START_INFO + 52), 0); /* reserved */
	assert_string_equal((char *)memory + BOOT_CMDLINE_AT, "hello world");
	assert_int_equal(cpu.rip, 0x1234567);
	assert_int_equal(cpu.rbx, BOOT_START_INFO);
	assert_int_equal(cpu.cr3, 0);
}

/* The bundled guest, which has a tree, is spared the time. */
static void lab_guest_has_no_acpi(void **state)
{
	struct ram ram = ram_layout(512 * MIB);

	(void)state;
	lab = true;
	assert_true(boot(&ram, ""));
	assert_int_equal(quad(BOOT_START_INFO + 32), 0);
	assert_int_equal(memory[0xff000], 0xa5);
	assert_int_equal(memory[0xffff0], 0xa5);
}

/* Linux takes the first module for its initrd: it is one of no bytes. */
static void tree_is_the_second_module(void **state)
{
	struct ram ram = ram_layout(512 * MIB);
	uint64_t list;

	(void)state;
	assert_true(boot(&ram, ""));
	list = quad(BOOT_START_INFO + 16);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(quad(list + 8 * i), 0);
	assert_int_equal(quad(list + 32), BOOT_TREE_AT);
	assert_int_equal(quad(list + 40), fdt_totalsize(memory + BOOT_TREE_AT));
	assert_string_equal((char *)memory + quad(list + 48), ABI_FDT_MODULE);
	assert_int_equal(quad(list + 56), 0);
	assert_int_equal(fdt_check_full(memory + BOOT_TREE_AT, quad(list + 40)),
			 0);
}

struct entry {
	uint64_t at, bytes;
	uint32_t type;
};

static void expect_map(const struct entry *want, unsigned n)
{
	uint64_t map = quad(BOOT_START_INFO + 40);

	assert_int_equal(word(BOOT_START_INFO + 48), n);
	for (unsigned i = 0; i < n; i++, map += 24) {
		assert_int_equal(quad(map), want[i].at);
		assert_int_equal(quad(map + 8), want[i].bytes);
		assert_int_equal(word(map + 16), want[i].type);
		assert_int_equal(word(map + 20), 0);
	}
}

static void memory_map_below_4_gib(void **state)
{
	static const struct entry want[] = { { 0, 0xa0000, 1 },
					     { 0xa0000, 0x60000, 2 },
					     { MIB, 511 * MIB, 1 } };
	struct ram ram = ram_layout(512 * MIB);

	(void)state;
	assert_true(boot(&ram, ""));
	expect_map(want, 3);
}

static void memory_map_around_the_mmio_hole(void **state)
{
	static const struct entry want[] = { { 0, 0xa0000, 1 },
					     { 0xa0000, 0x60000, 2 },
					     { MIB, 3 * GIB - MIB, 1 },
					     { 4 * GIB, 5 * GIB, 1 } };
	struct ram ram = ram_layout(8 * GIB), edge = ram_layout(3 * GIB);

	(void)state;
	assert_true(boot(&ram, ""));
	expect_map(want, 4);
	assert_true(boot(&edge, ""));
	expect_map(want, 3);
}

/* A15: exactly the maximum, and a byte more. */
static void command_line_has_an_end(void **state)
{
	static char text[BOOT_CMDLINE + 1];
	struct ram ram = ram_layout(512 * MIB);

	(void)state;
	memset(text, 'a', sizeof(text));
	text[BOOT_CMDLINE - 1] = '\0';
	assert_true(boot(&ram, text));
	assert_string_equal((char *)memory + BOOT_CMDLINE_AT, text);
	assert_int_equal(memory[BOOT_CMDLINE_AT + BOOT_CMDLINE], 0xa5);

	writes = 0;
	text[BOOT_CMDLINE - 1] = 'a';
	text[BOOT_CMDLINE] = '\0';
	assert_false(boot(&ram, text));
	assert_string_equal(why.text, "the guest's command line has 16384 "
				      "bytes; at most 16383 are possible");
	assert_int_equal(writes, 0);
}

static void each_write_may_fail(void **state)
{
	static const char *const reasons[] = {
		"cannot write boot data at guest address 0x2000",
		"cannot write boot data at guest address 0xff000",
		"cannot write boot data at guest address 0xffff0",
		"cannot write boot data at guest address 0x10000",
		"cannot write boot data at guest address 0x1000",
	};
	struct ram ram = ram_layout(512 * MIB);

	(void)state;
	for (fail_nth = 1; fail_nth <= 5; fail_nth++) {
		writes = 0;
		assert_false(boot(&ram, ""));
		assert_int_equal(writes, fail_nth);
		assert_string_equal(why.text, reasons[fail_nth - 1]);
	}
	writes = 0;
	assert_true(boot(&ram, ""));
	assert_int_equal(writes, 5);
}

static void memory_below_one_mib_is_refused(void **state)
{
	struct ram ram = ram_layout(MIB - 4096);

	(void)state;
	assert_false(boot(&ram, ""));
	assert_string_equal(why.text, "guest memory is below 1M");
	assert_int_equal(writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(start_info_is_version_1, setup),
		cmocka_unit_test_setup(lab_guest_has_no_acpi, setup),
		cmocka_unit_test_setup(tree_is_the_second_module, setup),
		cmocka_unit_test_setup(memory_map_below_4_gib, setup),
		cmocka_unit_test_setup(memory_map_around_the_mmio_hole, setup),
		cmocka_unit_test_setup(command_line_has_an_end, setup),
		cmocka_unit_test_setup(each_write_may_fail, setup),
		cmocka_unit_test_setup(memory_below_one_mib_is_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
