/* SPDX-License-Identifier: MIT */
/*
 * The device tree: what this machine has, for a guest that would rather read
 * than probe. Written front to back by libfdt's sequential functions.
 *
 *     /  chosen  memory@0  rom@ADDRESS  cpus/cpu@N
 *     soc/{ioapic, lapic, lab, dma, virtio_mmio@…}  isa/{serial, exit}
 *
 * Bindings: Devicetree Specification 0.4; x86 interrupt controllers as in
 * Linux's Documentation/devicetree/bindings/interrupt-controller/
 * intel,ce4100-ioapic.txt. An ISA address is two cells, 1 for a port and the
 * port (Open Firmware's ISA binding), which has no place in memory: no ranges.
 * A shared file is a ROM on the memory bus (mtd/mtd-physmap.yaml there).
 */
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "vmm/boot.h"

#define LAPIC_BASE 0xfee00000u
#define APIC_SIZE  0x1000u
#define UART_CLOCK 1843200u /* of a PC's COM1 */
#define ISA_PORT   1u /* the first cell of a port's address */
#define ISA_EDGE   0u /* of an interrupt: edge-triggered, rising */
#define LEVEL_HIGH 2u /* of an IOAPIC's: level-triggered, high */

/* The phandle that "interrupt-parent" names. */
#define IOAPIC_PHANDLE 1u

/* A tree being written. The first error stays; what follows does nothing. */
struct tree {
	void *to;
	int error;
};

static void keep(struct tree *t, int error)
{
	if (!t->error)
		t->error = error;
}

static void begin(struct tree *t, const char *name)
{
	keep(t, t->error ? 0 : fdt_begin_node(t->to, name));
}

static void end(struct tree *t)
{
	keep(t, t->error ? 0 : fdt_end_node(t->to));
}

static void bytes(struct tree *t, const char *name, const void *value,
		  size_t len)
{
	keep(t, t->error ? 0 : fdt_property(t->to, name, value, (int)len));
}

static void string(struct tree *t, const char *name, const char *value)
{
	bytes(t, name, value, strlen(value) + 1);
}

static void cell(struct tree *t, const char *name, uint32_t value)
{
	fdt32_t big = cpu_to_fdt32(value);

	bytes(t, name, &big, sizeof(big));
}

static void long_cell(struct tree *t, const char *name, uint64_t value)
{
	fdt64_t big = cpu_to_fdt64(value);

	bytes(t, name, &big, sizeof(big));
}

/* Addresses and sizes below this node take that many cells. */
static void widths(struct tree *t, uint32_t address, uint32_t size)
{
	cell(t, "#address-cells", address);
	cell(t, "#size-cells", size);
}

/* A register range with two cells each. */
static void reg(struct tree *t, uint64_t at, uint64_t size)
{
	fdt64_t big[] = { cpu_to_fdt64(at), cpu_to_fdt64(size) };

	bytes(t, "reg", big, sizeof(big));
}

static void isa_reg(struct tree *t, uint32_t port, uint32_t ports)
{
	fdt32_t big[] = { cpu_to_fdt32(ISA_PORT), cpu_to_fdt32(port),
			  cpu_to_fdt32(ports) };

	bytes(t, "reg", big, sizeof(big));
}

static uint64_t virtio_at(unsigned slot)
{
	return ABI_VIRTIO_BASE + (uint64_t)slot * ABI_VIRTIO_SIZE;
}

static void chosen(struct tree *t, const struct boot_config *c)
{
	char console[64] = "/isa/serial@i3f8";

	if (c->console)
		snprintf(console, sizeof(console), "/soc/virtio_mmio@%llx",
			 (unsigned long long)virtio_at(c->console - 1));
	begin(t, "chosen");
	string(t, "bootargs", c->cmdline);
	string(t, "stdout-path", console);
	end(t);
}

static void memory(struct tree *t, const struct ram *ram)
{
	fdt64_t big[4];

	for (unsigned i = 0; i < ram->ranges; i++) {
		big[2 * i] = cpu_to_fdt64(ram->range[i].base.v);
		big[2 * i + 1] = cpu_to_fdt64(ram->range[i].bytes);
	}
	begin(t, "memory@0");
	string(t, "device_type", "memory");
	bytes(t, "reg", big, ram->ranges * 2 * sizeof(big[0]));
	end(t);
}

/* Its register range is whole pages; what the file has is less. */
static void rom(struct tree *t, const struct shared_file *f)
{
	static const char compatible[] = "twofold,share\0mtd-rom";
	const char *slash = strrchr(f->path, '/');
	char name[32];

	snprintf(name, sizeof(name), "rom@%llx", (unsigned long long)f->base.v);
	begin(t, name);
	bytes(t, "compatible", compatible, sizeof(compatible));
	reg(t, f->base.v, f->bytes);
	cell(t, "bank-width", 4);
	long_cell(t, "twofold,bytes", (uint64_t)f->share->was.st_size);
	string(t, "label", slash ? slash + 1 : f->path);
	end(t);
}

static void cpu(struct tree *t, unsigned n)
{
	char name[16];

	snprintf(name, sizeof(name), "cpu@%x", n);
	begin(t, name);
	string(t, "device_type", "cpu");
	string(t, "compatible", "intel,x86");
	cell(t, "reg", n);
	end(t);
}

static void cpus(struct tree *t, unsigned n, uint64_t tsc_hz)
{
	begin(t, "cpus");
	widths(t, 1, 0);
	/* One cell or two, as it needs (specification, 3.8). */
	if (tsc_hz && tsc_hz <= UINT32_MAX)
		cell(t, "timebase-frequency", (uint32_t)tsc_hz);
	else if (tsc_hz)
		long_cell(t, "timebase-frequency", tsc_hz);
	if (tsc_hz)
		long_cell(t, "twofold,tsc-hz", tsc_hz);
	for (unsigned i = 0; i < n; i++)
		cpu(t, i);
	end(t);
}

/* Two cells each: the IOAPIC's line, and level-triggered. */
static void interrupt(struct tree *t, uint32_t line)
{
	fdt32_t irq[] = { cpu_to_fdt32(line), cpu_to_fdt32(LEVEL_HIGH) };

	bytes(t, "interrupts", irq, sizeof(irq));
}

static void dma(struct tree *t)
{
	begin(t, "dma@d0001000");
	string(t, "compatible", ABI_FDT_DMA);
	reg(t, ABI_DMA_BASE, ABI_DMA_SIZE);
	interrupt(t, ABI_DMA_IRQ);
	end(t);
}

/* Linux's Documentation/devicetree/bindings/virtio/mmio.yaml. */
static void virtio(struct tree *t, unsigned slot)
{
	uint64_t at = virtio_at(slot);
	char name[32];

	snprintf(name, sizeof(name), "virtio_mmio@%llx",
		 (unsigned long long)at);
	begin(t, name);
	string(t, "compatible", ABI_FDT_VIRTIO);
	reg(t, at, ABI_VIRTIO_SIZE);
	interrupt(t, ABI_VIRTIO_IRQ + slot);
	end(t);
}

static void soc(struct tree *t, const struct boot_config *c)
{
	begin(t, "soc");
	string(t, "compatible", "simple-bus");
	widths(t, 2, 2);
	bytes(t, "ranges", NULL, 0);

	begin(t, "interrupt-controller@fec00000");
	string(t, "compatible", ABI_FDT_IOAPIC);
	bytes(t, "interrupt-controller", NULL, 0);
	cell(t, "#interrupt-cells", 2);
	cell(t, "phandle", IOAPIC_PHANDLE);
	reg(t, ABI_IOAPIC_BASE, APIC_SIZE);
	end(t);

	begin(t, "interrupt-controller@fee00000");
	string(t, "compatible", "intel,ce4100-lapic");
	reg(t, LAPIC_BASE, APIC_SIZE);
	end(t);

	if (c->lab) {
		begin(t, "lab@d0000000");
		string(t, "compatible", ABI_FDT_LAB);
		reg(t, ABI_LAB_BASE, ABI_LAB_SIZE);
		end(t);
	}
	dma(t);
	for (unsigned i = 0; i < c->virtio; i++)
		virtio(t, i);
	end(t);
}

static void isa(struct tree *t)
{
	fdt32_t irq[] = { cpu_to_fdt32(ABI_UART_IRQ), cpu_to_fdt32(ISA_EDGE) };

	begin(t, "isa");
	string(t, "compatible", "isa");
	string(t, "device_type", "isa");
	widths(t, 2, 1);

	begin(t, "serial@i3f8");
	string(t, "device_type", "serial");
	string(t, "compatible", ABI_FDT_UART);
	isa_reg(t, ABI_UART_PORT, ABI_UART_PORTS);
	cell(t, "clock-frequency", UART_CLOCK);
	bytes(t, "interrupts", irq, sizeof(irq));
	end(t);

	begin(t, "exit@if4");
	string(t, "compatible", ABI_FDT_EXIT);
	isa_reg(t, ABI_EXIT_PORT, ABI_EXIT_PORTS);
	end(t);
	end(t);
}

static void root(struct tree *t, const struct boot_config *c)
{
	begin(t, "");
	string(t, "compatible", ABI_FDT_COMPATIBLE);
	string(t, "model", ABI_FDT_COMPATIBLE);
	widths(t, 2, 2);
	cell(t, "interrupt-parent", IOAPIC_PHANDLE);
	chosen(t, c);
	memory(t, c->ram);
	for (unsigned i = 0; c->shares && i < c->shares->n; i++)
		rom(t, &c->shares->file[i]);
	cpus(t, c->cpus, c->tsc_hz);
	soc(t, c);
	isa(t);
	end(t);
}

int devtree_build(void *to, size_t room, const struct boot_config *c)
{
	struct tree t = { .to = to };

	keep(&t, fdt_create(to, (int)room));
	if (!t.error)
		keep(&t, fdt_finish_reservemap(to));
	root(&t, c);
	if (!t.error)
		keep(&t, fdt_finish(to));
	if (t.error)
		return t.error == -FDT_ERR_NOSPACE ? -ENOSPC : -EINVAL;
	return (int)fdt_totalsize(to);
}
