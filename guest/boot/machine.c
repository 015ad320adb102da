/* SPDX-License-Identifier: MIT */
/* PVH's side of struct machine. Runs on the boot tables: see BOOT_WINDOW. */
#include "guest/boot/machine.h"

#include "guest/boot/pvh.h"
#include "guest/lib/base.h"

extern const char kernel_start[], kernel_end[];

/* What every PC has, where no tree says more. */
struct machine this_machine = {
	.uart = { .at = { ABI_UART_PORT }, .line = ABI_UART_IRQ },
	.exit = { .at = { ABI_EXIT_PORT } },
	.ioapic = { .at = { ABI_IOAPIC_BASE } },
	.cmdline = "",
	.cpus = 1,
};

/* Where the direct map will show @at; now only low memory is. */
static const void *early(uint64_t at)
{
	if (at >= BOOT_WINDOW)
		panic("the loader's %#lx lies above the first GiB", at);
	return direct((pa_t){ at });
}

static void add(struct range *to, unsigned *n, uint64_t start, uint64_t end)
{
	if (end <= start)
		return;
	if (*n == MACHINE_RANGES)
		panic("more than %u ranges of memory", MACHINE_RANGES);
	to[(*n)++] = (struct range){ { start }, { end } };
}

/* The first MiB is never handed out anyway. */
static void reserve(uint64_t at, uint64_t bytes)
{
	if (page_up(at + bytes) > 0x100000)
		add(this_machine.reserved, &this_machine.reserveds,
		    page_down(at), page_up(at + bytes));
}

static const char *reserve_text(uint64_t at)
{
	const char *text = early(at);

	reserve(at, strlen(text) + 1);
	return text;
}

void machine_add_ram(uint64_t at, uint64_t bytes)
{
	uint64_t end = page_down(at + bytes);

	add(this_machine.ram, &this_machine.rams, page_up(at),
	    end < RAM_MOST ? end : RAM_MOST);
}

static void read_memmap(const struct hvm_start_info *info)
{
	const struct hvm_memmap *map;

	if (info->version < 1)
		panic("neither a device tree nor a memory map");
	map = early(info->memmap_at);
	for (unsigned i = 0; i < info->memmap_entries; i++)
		if (map[i].type == PVH_RAM)
			machine_add_ram(map[i].at, map[i].bytes);
}

/* Reserve all modules; the one with the right command line is the tree. */
static void read_modules(const struct hvm_start_info *info)
{
	const struct hvm_module *module = early(info->modules_at);

	reserve(info->modules_at, info->modules * sizeof(*module));
	for (unsigned i = 0; i < info->modules; i++, module++) {
		reserve(module->at, module->bytes);
		if (module->cmdline_at &&
		    streq(reserve_text(module->cmdline_at), ABI_FDT_MODULE))
			machine_read_tree(early(module->at));
	}
}

void machine_read(pa_t start_info)
{
	const struct hvm_start_info *info = early(start_info.v);

	if (info->magic != PVH_MAGIC)
		panic("no PVH start info at %#lx", start_info.v);
	reserve(image_pa(kernel_start).v, (size_t)(kernel_end - kernel_start));
	reserve(start_info.v, sizeof(*info));
	if (info->cmdline_at)
		this_machine.cmdline = reserve_text(info->cmdline_at);
	read_modules(info);
	if (!this_machine.rams)
		read_memmap(info);
}
