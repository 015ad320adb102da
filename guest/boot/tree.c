/* SPDX-License-Identifier: MIT */
/*
 * The device tree's side of this_machine: a flattened tree (Devicetree
 * Specification 0.4, chapter 5) is one list of tokens, read once. As all that
 * the loader says it is believed.
 *
 *	BEGIN_NODE name  { PROP bytes name value }  { nodes }  END_NODE
 *
 * A node can be judged when the next begins: its properties come before the
 * nodes below it. Cells follow guest/abi.h: two for an address and two for a
 * size, except on the ISA bus, where a register is <space port bytes>.
 */
#include "guest/boot/machine.h"
#include "guest/lib/base.h"

/* The header's fields that we read, in cells; all are big-endian. */
enum { MAGIC = 0, STRUCTURE = 2, STRINGS = 3, COMPATIBLE = 6 };

#define FDT_MAGIC   0xd00dfeedu
#define FDT_VERSION 17u

enum { BEGIN_NODE = 1, END_NODE, PROP, NOP, END = 9 };

struct node {
	const char *name;
	const char *compatible, *compatible_end; /* strings, each with a NUL */
	const uint32_t *reg, *reg_end;
	const uint32_t *interrupt; /* its line, and how it is triggered */
};

static const char *console; /* its node's name */

/* The devices that there is one of: what the tree calls them. */
static const struct {
	const char *compatible;
	struct spot *spot;
} devices[] = {
	{ ABI_FDT_UART, &this_machine.uart },
	{ ABI_FDT_EXIT, &this_machine.exit },
	{ ABI_FDT_IOAPIC, &this_machine.ioapic },
	{ ABI_FDT_LAB, &this_machine.lab },
	{ ABI_FDT_DMA, &this_machine.dma },
};

#define DEVICES	   (sizeof(devices) / sizeof(devices[0]))

#define LEVEL_HIGH 2u /* the IOAPIC's second cell of interrupts */

static uint32_t cell(const uint32_t *at)
{
	return __builtin_bswap32(*at);
}

static uint64_t long_cell(const uint32_t *at)
{
	return (uint64_t)cell(at) << 32 | cell(at + 1);
}

static bool is(const struct node *n, const char *what)
{
	const char *at = n->compatible;

	while (at < n->compatible_end && !streq(at, what))
		at += strlen(at) + 1;
	return at < n->compatible_end;
}

static void take_property(struct node *n, const char *name,
			  const uint32_t *value, uint32_t bytes)
{
	struct machine *m = &this_machine;

	if (streq(name, "compatible")) {
		n->compatible = (const char *)value;
		n->compatible_end = n->compatible + bytes;
	} else if (streq(name, "reg")) {
		n->reg = value;
		n->reg_end = value + bytes / sizeof(*value);
	} else if (streq(name, "interrupts")) {
		n->interrupt = value;
	} else if (streq(name, "bootargs")) {
		m->cmdline = (const char *)value;
	} else if (streq(name, "stdout-path")) {
		console = last_part((const char *)value);
	} else if (streq(name, "timebase-frequency")) {
		m->tsc_hz = bytes == 8 ? long_cell(value) : cell(value);
	}
}

static struct spot spot_of(const struct node *n)
{
	struct spot here = { .there = n->reg };
	long cells = n->reg_end - n->reg;

	if (cells >= 4)
		here.at.v = long_cell(n->reg);
	else if (cells == 3)
		here.at.v = cell(n->reg + 1);
	if (n->interrupt) {
		here.line = cell(n->interrupt);
		here.level = cell(n->interrupt + 1) == LEVEL_HIGH;
	}
	return here;
}

static void take_node(const struct node *n)
{
	struct machine *m = &this_machine;

	for (unsigned i = 0; i < DEVICES; i++)
		if (is(n, devices[i].compatible))
			*devices[i].spot = spot_of(n);
	if (console && streq(n->name, console))
		m->console = spot_of(n);
	if (is(n, ABI_FDT_COMPATIBLE))
		m->zeroed = true;
	else if (is(n, ABI_FDT_VIRTIO) && m->virtios < ABI_VIRTIO_SLOTS)
		m->virtio[m->virtios++] = spot_of(n);
	else if (str_begins(n->name, "cpu@"))
		m->cpus++;
	else if (str_begins(n->name, "memory@"))
		for (const uint32_t *at = n->reg; at < n->reg_end; at += 4)
			machine_add_ram(long_cell(at), long_cell(at + 2));
}

/* What a string or value of @bytes takes, in cells. */
static size_t cells(size_t bytes)
{
	return (bytes + 3) / 4;
}

void machine_read_tree(const void *blob)
{
	const uint32_t *header = blob;
	const char *bytes = blob, *strings = bytes + cell(header + STRINGS);
	const uint32_t *at = header + cell(header + STRUCTURE) / 4;
	struct node n = { .name = "" };
	uint32_t token;

	if (cell(header + MAGIC) != FDT_MAGIC ||
	    cell(header + COMPATIBLE) > FDT_VERSION)
		panic("the module " ABI_FDT_MODULE " is no device tree");
	this_machine.cpus = 0;
	while ((token = cell(at++)) != END) {
		if (token == BEGIN_NODE) {
			take_node(&n);
			n = (struct node){ .name = (const char *)at };
			at += cells(strlen(n.name) + 1);
		} else if (token == PROP) {
			take_property(&n, strings + cell(at + 1), at + 2,
				      cell(at));
			at += 2 + cells(cell(at));
		} else if (token != END_NODE && token != NOP) {
			panic("the device tree is broken");
		}
	}
	take_node(&n);
}
