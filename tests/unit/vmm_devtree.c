/* SPDX-License-Identifier: MIT */
/* The device tree, checked and read back by libfdt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/boot.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static uint8_t tree[BOOT_TREE];
static struct ram ram;
static struct boot_config config;

static int setup(void **state)
{
	(void)state;
	ram = ram_layout(512 * MIB);
	config = (struct boot_config){ .lab = true,
				       .ram = &ram,
				       .cmdline = "a b -- c",
				       .cpus = 3,
				       .tsc_hz = UINT64_C(2100000000) };
	return 0;
}

static void build(void)
{
	int size = devtree_build(tree, sizeof(tree), &config);

	assert_true(size > 0);
	assert_int_equal(fdt_check_full(tree, (size_t)size), 0);
	assert_int_equal(fdt_totalsize(tree), size);
}

static int node(const char *path)
{
	int at = fdt_path_offset(tree, path);

	if (at < 0)
		fail_msg("no node %s: %s", path, fdt_strerror(at));
	return at;
}

static const void *property(const char *path, const char *name, int want_len)
{
	int len;
	const void *value = fdt_getprop(tree, node(path), name, &len);

	if (!value || len != want_len)
		fail_msg("%s/%s: length %d, want %d", path, name, len,
			 want_len);
	return value;
}

static void has_string(const char *path, const char *name, const char *want)
{
	assert_string_equal(property(path, name, (int)strlen(want) + 1), want);
}

static void has_cells(const char *path, const char *name, unsigned n, ...)
{
	const fdt32_t *cell = property(path, name, (int)(n * sizeof(*cell)));
	va_list want;

	va_start(want, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(fdt32_ld(&cell[i]), va_arg(want, uint32_t));
	va_end(want);
}

static void root_and_chosen(void **state)
{
	(void)state;
	build();
	has_string("/", "compatible", ABI_FDT_COMPATIBLE);
	has_cells("/", "#address-cells", 1, 2u);
	has_cells("/", "#size-cells", 1, 2u);
	has_string("/chosen", "bootargs", "a b -- c");
	has_string("/chosen", "stdout-path", "/isa/serial@i3f8");
	node("/isa/serial@i3f8");
	assert_int_equal(fdt_num_mem_rsv(tree), 0);
}

static void memory_has_every_range(void **state)
{
	(void)state;
	build();
	has_string("/memory@0", "device_type", "memory");
	has_cells("/memory@0", "reg", 4, 0u, 0u, 0u, 0x20000000u);

	ram = ram_layout(8 * GIB);
	build();
	has_cells("/memory@0", "reg", 8, 0u, 0u, 0u, 0xc0000000u, /* */
		  1u, 0u, 1u, 0x40000000u);
}

static void cpus_are_counted(void **state)
{
	int cpus, at;
	unsigned n = 0;

	(void)state;
	for (config.cpus = 1; config.cpus <= MAX_CPUS; config.cpus++) {
		build();
		n = 0;
		cpus = node("/cpus");
		fdt_for_each_subnode(at, tree, cpus) n++;
		assert_int_equal(n, config.cpus);
	}
	has_cells("/cpus", "#address-cells", 1, 1u);
	has_cells("/cpus", "#size-cells", 1, 0u);
	has_string("/cpus/cpu@7", "device_type", "cpu");
	has_string("/cpus/cpu@7", "compatible", "intel,x86");
	has_cells("/cpus/cpu@7", "reg", 1, 7u);
}

static void clock_takes_the_cells_it_needs(void **state)
{
	(void)state;
	build();
	has_cells("/cpus", "timebase-frequency", 1, 2100000000u);
	has_cells("/cpus", "twofold,tsc-hz", 2, 0u, 2100000000u);
	config.tsc_hz = UINT32_MAX;
	build();
	has_cells("/cpus", "timebase-frequency", 1, UINT32_MAX);
	config.tsc_hz = UINT64_C(5000000000);
	build();
	has_cells("/cpus", "timebase-frequency", 2, 1u, 705032704u);
	has_cells("/cpus", "twofold,tsc-hz", 2, 1u, 705032704u);
	config.tsc_hz = 0; /* unknown is not said to be 0 */
	build();
	assert_null(
		fdt_getprop(tree, node("/cpus"), "timebase-frequency", NULL));
	assert_null(fdt_getprop(tree, node("/cpus"), "twofold,tsc-hz", NULL));
}

static const char *only_node(const char *compatible)
{
	static char path[128];
	int at = fdt_node_offset_by_compatible(tree, -1, compatible);

	if (at < 0)
		fail_msg("no device is compatible with %s", compatible);
	assert_int_equal(fdt_get_path(tree, at, path, sizeof(path)), 0);
	assert_int_equal(fdt_node_offset_by_compatible(tree, at, compatible),
			 -FDT_ERR_NOTFOUND);
	return path;
}

static void lab_is_listed_only_where_it_is(void **state)
{
	(void)state;
	config.lab = false;
	build();
	assert_true(fdt_node_offset_by_compatible(tree, -1, ABI_FDT_LAB) < 0);
}

static void devices_are_found_by_their_names(void **state)
{
	(void)state;
	build();
	assert_string_equal(only_node(ABI_FDT_UART), "/isa/serial@i3f8");
	has_cells("/isa/serial@i3f8", "reg", 3, 1u, 0x3f8u, 8u);
	has_cells("/isa/serial@i3f8", "interrupts", 2, 4u, 0u);
	has_cells("/isa/serial@i3f8", "clock-frequency", 1, 1843200u);
	assert_string_equal(only_node(ABI_FDT_EXIT), "/isa/exit@if4");
	has_cells("/isa/exit@if4", "reg", 3, 1u, 0xf4u, 4u);
	assert_string_equal(only_node(ABI_FDT_LAB), "/soc/lab@d0000000");
	has_cells("/soc/lab@d0000000", "reg", 4, 0u, 0xd0000000u, 0u, 0x1000u);
	has_string("/isa", "compatible", "isa");
	has_cells("/isa", "#address-cells", 1, 2u);
	has_cells("/isa", "#size-cells", 1, 1u);
	has_string("/soc", "compatible", "simple-bus");
	property("/soc", "ranges", 0);
}

/* One node for each slot in use, level-triggered. */
static void virtio_devices_have_slots(void **state)
{
	(void)state;
	config.virtio = 3;
	build();
	has_string("/soc/virtio_mmio@d0010000", "compatible", "virtio,mmio");
	has_cells("/soc/virtio_mmio@d0012000", "reg", 4, 0u, 0xd0012000u, 0u,
		  0x1000u);
	has_cells("/soc/virtio_mmio@d0012000", "interrupts", 2, 12u, 2u);
	assert_int_equal(fdt_path_offset(tree, "/soc/virtio_mmio@d0013000"),
			 -FDT_ERR_NOTFOUND);
	config.console = 3;
	build();
	has_string("/chosen", "stdout-path", "/soc/virtio_mmio@d0012000");
}

static void the_dma_engine_is_always_there(void **state)
{
	(void)state;
	build();
	assert_string_equal(only_node("twofold,dma"), "/soc/dma@d0001000");
	has_cells("/soc/dma@d0001000", "reg", 4, 0u, 0xd0001000u, 0u, 0x1000u);
	has_cells("/soc/dma@d0001000", "interrupts", 2, 5u, 2u);
}

static void interrupts_have_a_controller(void **state)
{
	uint32_t parent;
	int at;

	(void)state;
	build();
	assert_string_equal(only_node("intel,ce4100-ioapic"),
			    "/soc/interrupt-controller@fec00000");
	has_cells("/soc/interrupt-controller@fec00000", "reg", 4, 0u,
		  0xfec00000u, 0u, 0x1000u);
	assert_string_equal(only_node("intel,ce4100-lapic"),
			    "/soc/interrupt-controller@fee00000");
	has_cells("/soc/interrupt-controller@fee00000", "reg", 4, 0u,
		  0xfee00000u, 0u, 0x1000u);

	parent = fdt32_ld(property("/", "interrupt-parent", 4));
	at = fdt_node_offset_by_phandle(tree, parent);
	assert_int_equal(at, node("/soc/interrupt-controller@fec00000"));
	assert_non_null(fdt_getprop(tree, at, "interrupt-controller", NULL));
	has_cells("/soc/interrupt-controller@fec00000", "#interrupt-cells", 1,
		  2u);
}

/* A19: whatever the room, a whole tree or an error. Each buffer has exactly
 * that room, so that ASan sees a byte too many. */
static void no_room_is_an_error(void **state)
{
	int size = devtree_build(tree, sizeof(tree), &config), taken = 0;

	(void)state;
	for (int room = 0; room <= size + 64; room++) {
		void *to = malloc((size_t)room);
		int got = devtree_build(to, (size_t)room, &config);

		if (got >= 0) {
			taken++;
			assert_int_equal(got, size);
			assert_int_equal(fdt_check_full(to, (size_t)got), 0);
			assert_memory_equal(to, tree, (size_t)size);
		} else {
			assert_int_equal(got, -ENOSPC);
		}
		assert_true((got >= 0) == (room >= size));
		free(to);
	}
	assert_int_equal(taken, 65);
}

/* A19: the longest command line and the most memory and CPUs fit. */
static void the_largest_tree_fits(void **state)
{
	static char text[BOOT_CMDLINE];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	ram = ram_layout(UINT64_C(8) << 40);
	config.cmdline = text;
	config.cpus = MAX_CPUS;
	config.virtio = ABI_VIRTIO_SLOTS;
	build();
	has_string("/chosen", "bootargs", text);
}

static void shared_files_are_roms(void **state)
{
	static const char compatible[] = "twofold,share\0mtd-rom";
	struct share small = { .was.st_size = 5000 }, large = { 0 };
	struct shares shares = {
		.file = { { &small, { 0x40000000 }, 8192, "/a/b/data.bin" },
			  { &large, { 5 * GIB }, 16 * MIB, "model" } },
		.n = 2,
	};

	(void)state;
	config.shares = &shares;
	build();
	assert_memory_equal(
		property("/rom@40000000", "compatible", sizeof(compatible)),
		compatible, sizeof(compatible));
	has_cells("/rom@40000000", "reg", 4, 0u, 0x40000000u, 0u, 8192u);
	has_cells("/rom@40000000", "twofold,bytes", 2, 0u, 5000u);
	has_string("/rom@40000000", "label", "data.bin");
	has_cells("/rom@140000000", "reg", 4, 1u, 0x40000000u, 0u, 0x1000000u);
	has_string("/rom@140000000", "label", "model");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(root_and_chosen, setup),
		cmocka_unit_test_setup(memory_has_every_range, setup),
		cmocka_unit_test_setup(cpus_are_counted, setup),
		cmocka_unit_test_setup(clock_takes_the_cells_it_needs, setup),
		cmocka_unit_test_setup(devices_are_found_by_their_names, setup),
		cmocka_unit_test_setup(lab_is_listed_only_where_it_is, setup),
		cmocka_unit_test_setup(virtio_devices_have_slots, setup),
		cmocka_unit_test_setup(the_dma_engine_is_always_there, setup),
		cmocka_unit_test_setup(interrupts_have_a_controller, setup),
		cmocka_unit_test_setup(shared_files_are_roms, setup),
		cmocka_unit_test_setup(no_room_is_an_error, setup),
		cmocka_unit_test_setup(the_largest_tree_fits, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
