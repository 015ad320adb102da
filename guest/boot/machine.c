/* SPDX-License-Identifier: MIT */
/* PVH's side of struct machine. Runs on the boot tables: see BOOT_WINDOW. */
#include "guest/boot/machine.h"

#include "guest/abi.h"
#include "guest/boot/fdt.h"
#include "guest/boot/pvh.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"

extern const char kernel_start[], kernel_end[];

/* Where the direct map will show [at, at + bytes); now only low memory is. */
static const void *early(uint64_t at, uint64_t bytes, const char *what)
{
	if (at >= BOOT_WINDOW || bytes > BOOT_WINDOW - at)
		panic("%s at %#lx lies above the first GiB", what, at);
	return direct((pa_t){ at });
}

static void reserve(struct machine *m, uint64_t at, uint64_t bytes)
{
	struct range r = { { page_down(at) }, { page_up(at + bytes) } };

	if (!bytes || r.end.v <= 0x100000)
		return; /* the first MiB is never handed out anyway */
	if (m->reserveds == MACHINE_RANGES)
		panic("more than %u boot modules", MACHINE_RANGES);
	m->reserved[m->reserveds++] = r;
}

void machine_add_ram(struct machine *m, uint64_t at, uint64_t bytes)
{
	struct range r = { { page_up(at) }, { page_down(at + bytes) } };

	if (at + bytes < at || r.end.v <= r.start.v)
		return;
	if (m->rams == MACHINE_RANGES)
		panic("more than %u ranges of RAM", MACHINE_RANGES);
	m->ram[m->rams++] = r;
}

/* More than we have room for are not there. */
void machine_add_virtio(struct machine *m, uint64_t at, unsigned line)
{
	if (m->virtios < ABI_VIRTIO_SLOTS)
		m->virtio[m->virtios++] = (struct virtio_place){ { at }, line };
}

void machine_set_cmdline(struct machine *m, const char *text)
{
	size_t n = strlen(text);

	if (n >= MACHINE_CMDLINE)
		panic("the command line has more than %u bytes",
		      MACHINE_CMDLINE - 1);
	memcpy(m->cmdline, text, n + 1);
}

static void read_memmap(struct machine *m, const struct hvm_start_info *info)
{
	const struct hvm_memmap *map;

	if (info->version < 1 || !info->memmap_at)
		panic("PVH start info version %u has no memory map, and there "
		      "is no device tree",
		      info->version);
	map = early(info->memmap_at, info->memmap_entries * sizeof(*map),
		    "the memory map");
	for (unsigned i = 0; i < info->memmap_entries; i++)
		if (map[i].type == PVH_RAM)
			machine_add_ram(m, map[i].at, map[i].bytes);
}

/* Reserve all modules; the one with the right command line is the tree. */
static void read_modules(struct machine *m, const struct hvm_start_info *info)
{
	const struct hvm_module *module =
		early(info->modules_at, info->modules * sizeof(*module),
		      "the module list");

	reserve(m, info->modules_at, info->modules * sizeof(*module));
	for (unsigned i = 0; i < info->modules; i++, module++) {
		const char *name;

		reserve(m, module->at, module->bytes);
		if (!module->cmdline_at)
			continue;
		name = early(module->cmdline_at, sizeof(ABI_FDT_MODULE),
			     "a module's command line");
		reserve(m, module->cmdline_at, strlen(name) + 1);
		if (!streq(name, ABI_FDT_MODULE) || m->tree)
			continue;
		machine_read_tree(
			m, early(module->at, module->bytes, "the device tree"),
			(uint32_t)module->bytes);
	}
}

void machine_read(struct machine *m, pa_t start_info)
{
	const struct hvm_start_info *info =
		early(start_info.v, sizeof(*info), "PVH's start info");

	*m = (struct machine){ .uart_port = ABI_UART_PORT,
			       .exit_port = ABI_EXIT_PORT,
			       .cpus = 1 };
	if (info->magic != PVH_MAGIC)
		panic("no PVH start info at %#lx", start_info.v);
	reserve(m, image_pa(kernel_start).v,
		image_pa(kernel_end).v - image_pa(kernel_start).v);
	reserve(m, start_info.v, sizeof(*info));
	if (info->cmdline_at) {
		const char *text =
			early(info->cmdline_at, 1, "the command line");

		reserve(m, info->cmdline_at, strlen(text) + 1);
		machine_set_cmdline(m, text);
	}
	read_modules(m, info);
	if (!m->rams)
		read_memmap(m, info);
}
