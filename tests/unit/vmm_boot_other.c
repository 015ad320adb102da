/* SPDX-License-Identifier: MIT */
/*
 * What Linux and multiboot kernels find at start, by the offsets of their
 * documents. PVH: vmm_boot.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/bzimage_fixture.h"
#include "vmm/boot.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static uint8_t memory[1 << 20];
static unsigned writes, fail_nth;
static struct complaint why;
static struct image image;
static struct boot_cpu cpu;
static struct boot_config config;
static struct ram ram;

static bool write_memory(void *ctx, gpa_t at, const void *from, size_t len)
{
	(void)ctx;
	assert_true(range_within(at.v, len, sizeof(memory)));
	if (++writes == fail_nth)
		return false;
	memcpy(memory + at.v, from, len);
	return true;
}

static int setup(void **state)
{
	(void)state;
	memset(memory, 0xa5, sizeof(memory));
	writes = fail_nth = 0;
	ram = ram_layout(8 * GIB);
	image = (struct image){
		.protocol = BOOT_LINUX,
		.linux_kernel = true,
		.entry = BZ_AT + 0x200,
		.setup = good_bzimage().h,
		.initrd_at = { 0x7000000 },
		.initrd_bytes = 5000,
	};
	config = (struct boot_config){
		.ram = &ram, .image = &image, .cmdline = "quiet", .cpus = 1
	};
	return 0;
}

static bool boot(void)
{
	return boot_write(&config, (struct boot_memory){ write_memory, NULL },
			  &cpu, &why);
}

static uint64_t number(uint64_t at, unsigned bytes)
{
	uint64_t v = 0;

	memcpy(&v, memory + at, bytes);
	return v;
}

/* An entry of either memory map, which have the same fields. */
static void expect_range(uint64_t at, uint64_t base, uint64_t bytes,
			 unsigned type)
{
	assert_int_equal(number(at, 8), base);
	assert_int_equal(number(at + 8, 8), bytes);
	assert_int_equal(number(at + 16, 4), type);
}

static void zero_page_of_linux(void **state)
{
	(void)state;
	assert_true(boot());
	assert_int_equal(cpu.rsi, 0x1000);
	assert_int_equal(cpu.rip, BZ_AT + 0x200);
	assert_int_equal(number(0x1070, 8), 0xff000); /* RSDP */
	assert_int_equal(number(0x11ef, 1), 0); /* sentinel */
	assert_int_equal(number(0x1202, 4), 0x53726448); /* the file's header */
	assert_int_equal(number(0x1210, 1), 0xff); /* type_of_loader */
	assert_int_equal(number(0x1218, 4), 0x7000000); /* ramdisk */
	assert_int_equal(number(0x121c, 4), 5000);
	assert_string_equal((char *)memory + number(0x1228, 4), "quiet");
	assert_int_equal(number(0x11e8, 1), 4);
	expect_range(0x12d0, 0, 0xa0000, 1);
	expect_range(0x12d0 + 20, 0xa0000, 0x60000, 2);
	expect_range(0x12d0 + 40, MIB, 3 * GIB - MIB, 1);
	expect_range(0x12d0 + 60, 4 * GIB, 5 * GIB, 1);
	assert_memory_equal(memory + 0xff000, "RSD PTR ", 8);
	assert_memory_equal(memory + 0xffff0, "\xb0\xfe\xe6\x64", 4);
}

/* As the CPU walks them: 2 MiB pages, each onto itself. */
static void page_tables_of_linux(void **state)
{
	(void)state;
	assert_true(boot());
	for (uint64_t gpa = 0; gpa < GIB; gpa += 2 * MIB) {
		uint64_t pdpt = number(cpu.cr3, 8), pd, entry;

		assert_int_equal(pdpt & 0xfff, 3);
		pd = number(pdpt & ~0xfffull, 8);
		assert_int_equal(pd & 0xfff, 3);
		entry = number((pd & ~0xfffull) + (gpa >> 21) * 8, 8);
		assert_int_equal(entry, gpa | 0x83);
	}
	assert_int_equal(number(cpu.cr3 + 8, 8), 0); /* and no more */
	assert_int_equal(number(BOOT_GDT + BOOT_CODE, 8), 0x00af9b000000ffff);
	assert_int_equal(number(BOOT_GDT + BOOT_DATA, 8), 0x00cf93000000ffff);
}

static const char *cmdline(void)
{
	assert_true(boot());
	return (char *)memory + BOOT_CMDLINE_AT;
}

static void linux_without_a_command_line_gets_one(void **state)
{
	(void)state;
	config.cmdline = "";
	assert_string_equal(cmdline(), "console=ttyS0 panic=-1");
	config.disks = 1;
	assert_string_equal(cmdline(), "console=ttyS0 panic=-1");
	config.console = 3;
	image.initrd_bytes = 0;
	assert_string_equal(cmdline(),
			    "console=hvc0 panic=-1 root=/dev/vda rw");
	image.linux_kernel = false;
	image.protocol = BOOT_PVH;
	assert_string_equal(cmdline(), "");
}

/* A15: exactly what the kernel takes, and a byte more. */
static void a15_command_line_has_an_end(void **state)
{
	char text[2049];

	(void)state;
	memset(text, 0xff, sizeof(text)); /* no ASCII: the guest's business */
	text[2047] = '\0';
	config.cmdline = text;
	assert_string_equal(cmdline(), text);
	text[2047] = 'a';
	text[2048] = '\0';
	assert_false(boot());
	assert_string_equal(why.text, "the guest's command line has 2048 "
				      "bytes; this kernel takes 2047");
}

static void multiboot_information(void **state)
{
	uint64_t mods, map;

	(void)state;
	image.protocol = BOOT_MULTIBOOT;
	image.linux_kernel = false;
	assert_true(boot());
	assert_int_equal(cpu.rax, 0x2badb002);
	assert_int_equal(cpu.rbx, 0x1000);
	assert_int_equal(cpu.cr3, 0);
	assert_int_equal(number(0x1000, 4), 0x4d); /* memory, line, mods, map */
	assert_int_equal(number(0x1004, 4), 640);
	assert_int_equal(number(0x1008, 4), 3 * 1024 * 1024 - 1024);
	assert_string_equal((char *)memory + number(0x1010, 4), "kernel quiet");
	assert_int_equal(number(0x1014, 4), 1);
	mods = number(0x1018, 4);
	assert_int_equal(number(mods, 4), 0x7000000);
	assert_int_equal(number(mods + 4, 4), 0x7000000 + 5000);
	assert_int_equal(number(number(mods + 8, 4), 1), 0);
	assert_int_equal(number(0x102c, 4), 4 * 24);
	map = number(0x1030, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(number(map + 24 * i, 4), 20);
	expect_range(map + 4, 0, 0xa0000, 1);
	expect_range(map + 76, 4 * GIB, 5 * GIB, 1);
}

static void multiboot_without_module(void **state)
{
	(void)state;
	image.protocol = BOOT_MULTIBOOT;
	image.initrd_bytes = 0;
	assert_true(boot());
	assert_int_equal(number(0x1000, 4), 0x45);
	assert_int_equal(number(0x1014, 4), 0);
}

/* Its command line has the kernel's name in front: A15 once more. */
static void a15_multiboot_command_line_has_an_end(void **state)
{
	static char text[BOOT_CMDLINE];

	(void)state;
	image.protocol = BOOT_MULTIBOOT;
	memset(text, 'a', sizeof(text));
	text[BOOT_CMDLINE - 8] = '\0';
	config.cmdline = text;
	assert_int_equal(strlen(cmdline()), BOOT_CMDLINE - 1);
	text[BOOT_CMDLINE - 8] = 'a';
	text[BOOT_CMDLINE - 7] = '\0';
	assert_false(boot());
	assert_string_equal(why.text, "the guest's command line has 16377 "
				      "bytes; at most 16376 are possible");
}

static void each_write_may_fail(void **state)
{
	static const unsigned all[] = {
		[BOOT_LINUX] = 6, [BOOT_MULTIBOOT] = 5
	};

	(void)state;
	for (unsigned p = BOOT_LINUX; p <= BOOT_MULTIBOOT; p++) {
		image.protocol = p;
		for (fail_nth = 1; fail_nth <= all[p]; fail_nth++) {
			writes = 0;
			assert_false(boot());
			assert_int_equal(writes, fail_nth);
			assert_memory_equal(why.text, "cannot write boot data",
					    22);
		}
		writes = 0;
		assert_true(boot());
		assert_int_equal(writes, all[p]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(zero_page_of_linux, setup),
		cmocka_unit_test_setup(page_tables_of_linux, setup),
		cmocka_unit_test_setup(linux_without_a_command_line_gets_one,
				       setup),
		cmocka_unit_test_setup(a15_command_line_has_an_end, setup),
		cmocka_unit_test_setup(multiboot_information, setup),
		cmocka_unit_test_setup(multiboot_without_module, setup),
		cmocka_unit_test_setup(a15_multiboot_command_line_has_an_end,
				       setup),
		cmocka_unit_test_setup(each_write_may_fail, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
