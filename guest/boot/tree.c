/* SPDX-License-Identifier: MIT */
/*
 * The device tree's side of struct machine. Every node that matters can be
 * judged when it ends: its properties have been seen by then. Cells follow
 * guest/abi.h: two for an address and two for a size, except on the ISA bus,
 * where a register is <space port bytes> and space 1 means I/O ports.
 */
#include "guest/boot/machine.h"

#include "guest/abi.h"
#include "guest/boot/fdt.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"

#define DEPTH 8

/* What a node's "compatible" says, as a set. */
enum {
	IS_VM = 1,
	IS_UART = 2,
	IS_EXIT = 4,
	IS_LAB = 8,
	IS_VIRTIO = 16,
	IS_DMA = 32
};

struct node {
	const char *name;
	unsigned is;
	bool is_memory;
	const uint8_t *reg;
	uint32_t reg_bytes;
	uint32_t line; /* first cell of interrupts */
};

static const struct {
	const char *name;
	unsigned is;
} compatibles[] = {
	{ ABI_FDT_COMPATIBLE, IS_VM }, { ABI_FDT_UART, IS_UART },
	{ ABI_FDT_EXIT, IS_EXIT },     { ABI_FDT_LAB, IS_LAB },
	{ ABI_FDT_VIRTIO, IS_VIRTIO }, { ABI_FDT_DMA, IS_DMA },
};

#define COMPATIBLES (sizeof(compatibles) / sizeof(compatibles[0]))

/* A property's value as text, or "" if it does not end in a NUL. */
static const char *text(const struct fdt_item *p)
{
	if (!p->bytes || p->value[p->bytes - 1])
		return "";
	return (const char *)p->value;
}

/* The value is a list of strings, most specific first. */
static unsigned parse_compatible(const struct fdt_item *p)
{
	unsigned is = 0;
	const char *at = text(p), *end = at + p->bytes;

	while (*at) {
		for (unsigned i = 0; i < COMPATIBLES; i++)
			if (streq(at, compatibles[i].name))
				is |= compatibles[i].is;
		at += strlen(at) + 1;
		if (at >= end)
			break;
	}
	return is;
}

static void take_property(struct machine *m, struct node *n,
			  const struct fdt_item *p)
{
	if (streq(p->name, "compatible")) {
		n->is = parse_compatible(p);
	} else if (streq(p->name, "reg")) {
		n->reg = p->value;
		n->reg_bytes = p->bytes;
	} else if (streq(p->name, "interrupts") && p->bytes >= 4) {
		n->line = fdt_u32(p->value);
	} else if (streq(p->name, "device_type")) {
		n->is_memory = streq(text(p), "memory");
	} else if (streq(n->name, "chosen") && streq(p->name, "bootargs")) {
		machine_set_cmdline(m, text(p));
	} else if (streq(n->name, "chosen") && streq(p->name, "stdout-path")) {
		strlcpy(m->console, last_part(text(p)), sizeof(m->console));
	} else if (streq(n->name, "cpus") &&
		   streq(p->name, "timebase-frequency")) {
		if (p->bytes == 8)
			m->tsc_hz = fdt_u64(p->value);
		else if (p->bytes == 4)
			m->tsc_hz = fdt_u32(p->value);
	}
}

/* The I/O port of a node on the ISA bus. */
static uint16_t port_of(const struct node *n)
{
	if (n->reg_bytes != 12 || fdt_u32(n->reg) != 1)
		panic("%s: not an I/O port in its reg", n->name);
	return (uint16_t)fdt_u32(n->reg + 4);
}

static void take_node(struct machine *m, const struct node *n)
{
	if (n->is & IS_VM)
		m->zeroed = true;
	if (n->is & IS_UART)
		m->uart_port = port_of(n);
	if (n->is & IS_EXIT)
		m->exit_port = port_of(n);
	if (n->is & IS_LAB && n->reg_bytes >= 16) {
		m->has_lab = true;
		m->lab = (pa_t){ fdt_u64(n->reg) };
	}
	if (n->is & IS_DMA && n->reg_bytes >= 16) {
		m->has_dma = true;
		m->dma = (pa_t){ fdt_u64(n->reg) };
		m->dma_line = n->line;
	}
	if (n->is & IS_VIRTIO && n->reg_bytes >= 16)
		machine_add_virtio(m, fdt_u64(n->reg), n->line);
	if (n->is & IS_VIRTIO && streq(n->name, m->console))
		m->virtio_console = (pa_t){ fdt_u64(n->reg) };
	if (str_begins(n->name, "cpu@"))
		m->cpus++;
	if (!n->is_memory && !str_begins(n->name, "memory@"))
		return;
	for (uint32_t i = 0; i + 16 <= n->reg_bytes; i += 16)
		machine_add_ram(m, fdt_u64(n->reg + i),
				fdt_u64(n->reg + i + 8));
}

void machine_read_tree(struct machine *m, const void *blob, uint32_t bytes)
{
	struct node nodes[DEPTH];
	unsigned depth = 0;
	enum fdt_token token;
	struct fdt_item item;
	struct fdt tree;

	if (!fdt_open(&tree, blob, bytes))
		panic("the module " ABI_FDT_MODULE " is no device tree");
	m->tree = true;
	m->cpus = 0;
	while ((token = fdt_next(&tree, &item)) != FDT_END) {
		if (token == FDT_BEGIN_NODE && depth < DEPTH)
			nodes[depth++] = (struct node){ .name = item.name };
		else if (token == FDT_PROP && depth)
			take_property(m, &nodes[depth - 1], &item);
		else if (token == FDT_END_NODE && depth)
			take_node(m, &nodes[--depth]);
		else
			panic("the device tree is broken");
	}
}
