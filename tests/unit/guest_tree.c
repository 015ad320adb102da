/* SPDX-License-Identifier: MIT */
/*
 * The device tree as the guest's kernel reads it: devices are where it says,
 * though no machine of ours has them there.
 */
/* Before the C library: some names in here are macros there. */
#include "guest/mm/frame.h"

#include "tests/unit/guest_fixture.h"

#include <libfdt.h>
#include <string.h>

bool str_begins(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

const char *last_part(const char *path)
{
	return strrchr(path, '/') + 1;
}

void machine_add_ram(uint64_t at, uint64_t bytes)
{
	this_machine.ram[this_machine.rams++] =
		(struct range){ { at }, { at + bytes } };
}

#define CELLS(...) ((const uint32_t[]){ __VA_ARGS__ })

static void cells(void *to, const char *name, const uint32_t *cell, size_t n)
{
	fdt32_t big[8];

	for (size_t i = 0; i < n; i++)
		big[i] = cpu_to_fdt32(cell[i]);
	assert_int_equal(fdt_property(to, name, big, (int)(n * 4)), 0);
}

/* A device below the root: @reg has @n cells. */
static void device(void *to, const char *name, const char *compatible,
		   const uint32_t *reg, size_t n, const uint32_t *interrupts)
{
	fdt_begin_node(to, name);
	fdt_property(to, "compatible", compatible, (int)strlen(compatible) + 1);
	cells(to, "reg", reg, n);
	if (interrupts)
		cells(to, "interrupts", interrupts, 2);
	assert_int_equal(fdt_end_node(to), 0);
}

static void finish(void *to)
{
	fdt_end_node(to);
	assert_int_equal(fdt_finish(to), 0);
	this_machine = (struct machine){ 0 };
	machine_read_tree(to);
}

static void begin(void *to, size_t room)
{
	fdt_create(to, (int)room);
	fdt_finish_reservemap(to);
	fdt_begin_node(to, "");
}

static void expect(struct spot s, uint64_t at, unsigned line, bool level)
{
	assert_true(s.there);
	assert_int_equal(s.at.v, at);
	assert_int_equal(s.line, line);
	assert_int_equal(s.level, level);
}

/* A port has three cells, of which the first says that it is one. */
static void devices_are_where_it_says(void **state)
{
	static uint32_t blob[1024];

	(void)state;
	begin(blob, sizeof(blob));
	device(blob, "io", ABI_FDT_IOAPIC, CELLS(0, 0xfed80000, 0, 4096), 4,
	       NULL);
	device(blob, "dma", ABI_FDT_DMA, CELLS(1, 0x5000, 0, 4096), 4,
	       CELLS(7, 2));
	device(blob, "one", ABI_FDT_VIRTIO, CELLS(0, 0xe0000000, 0, 512), 4,
	       CELLS(20, 2));
	device(blob, "two", ABI_FDT_VIRTIO, CELLS(0, 0xe0000200, 0, 512), 4,
	       CELLS(21, 0));
	device(blob, "tty", ABI_FDT_UART, CELLS(1, 0x2f8, 8), 3, CELLS(3, 0));
	device(blob, "end", ABI_FDT_EXIT, CELLS(1, 0x501, 4), 3, NULL);
	finish(blob);
	expect(this_machine.ioapic, 0xfed80000, 0, false);
	expect(this_machine.dma, 0x100005000, 7, true);
	assert_int_equal(this_machine.virtios, 2);
	expect(this_machine.virtio[0], 0xe0000000, 20, true);
	expect(this_machine.virtio[1], 0xe0000200, 21, false);
	expect(this_machine.uart, 0x2f8, 3, false);
	expect(this_machine.exit, 0x501, 0, false);
	assert_false(this_machine.lab.there);
}

/* Memory, processors, and what the loader wants of us. */
static void the_rest(void **state)
{
	static uint32_t blob[1024];

	(void)state;
	begin(blob, sizeof(blob));
	fdt_property_string(blob, "compatible", ABI_FDT_COMPATIBLE);
	fdt_begin_node(blob, "chosen");
	fdt_property_string(blob, "bootargs", "-- tour");
	fdt_property_string(blob, "stdout-path", "/soc/virtio@2");
	fdt_end_node(blob);
	device(blob, "memory@0", "ram",
	       CELLS(0, 0, 0, 0x10000000, 1, 0, 0, 0x20000000), 8, NULL);
	fdt_begin_node(blob, "cpus");
	cells(blob, "timebase-frequency", CELLS(1, 5), 2);
	device(blob, "cpu@0", "intel,x86", CELLS(0), 1, NULL);
	device(blob, "cpu@1", "intel,x86", CELLS(1), 1, NULL);
	fdt_end_node(blob);
	device(blob, "virtio@1", ABI_FDT_VIRTIO, CELLS(0, 1, 0, 1), 4, NULL);
	device(blob, "virtio@2", ABI_FDT_VIRTIO, CELLS(0, 2, 0, 1), 4, NULL);
	finish(blob);
	assert_true(this_machine.zeroed);
	assert_string_equal(this_machine.cmdline, "-- tour");
	assert_int_equal(this_machine.console.at.v, 2);
	assert_int_equal(this_machine.cpus, 2);
	assert_int_equal(this_machine.tsc_hz, (1ul << 32) + 5);
	assert_int_equal(this_machine.rams, 2);
	assert_int_equal(this_machine.ram[0].end.v, 0x10000000);
	assert_int_equal(this_machine.ram[1].start.v, 1ul << 32);
	assert_int_equal(this_machine.ram[1].end.v, 0x120000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_where_it_says),
		cmocka_unit_test(the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
