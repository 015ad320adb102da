/* SPDX-License-Identifier: MIT */
#include "guest/dev/irq.h"

#include "guest/lib/print.h"
#include "guest/mm/kmap.h"

#define IOAPIC_BASE  0xfec00000ul
#define IOAPIC_DATA  0x10
#define IOAPIC_ENTRY 0x10 /* two registers a line from here */

#define ENTRY_LEVEL  (1u << 15)

static volatile uint8_t *registers;

static struct {
	irq_fn *handler;
	void *ctx;
} lines[IRQ_LINES];

static void ioapic_write(unsigned at, uint32_t v)
{
	*(volatile uint32_t *)registers = at;
	*(volatile uint32_t *)(registers + IOAPIC_DATA) = v;
}

/* After reset all lines are masked. */
void irq_init(void)
{
	registers = mmio_map((pa_t){ IOAPIC_BASE }, PAGE_SIZE);
}

void irq_connect(unsigned line, irq_fn *handler, void *ctx)
{
	if (line >= IRQ_LINES)
		panic("there is no interrupt line %u", line);
	lines[line].handler = handler;
	lines[line].ctx = ctx;
	ioapic_write(IOAPIC_ENTRY + 2 * line + 1, 0); /* APIC 0 takes it */
	ioapic_write(IOAPIC_ENTRY + 2 * line, ENTRY_LEVEL | (TRAP_IRQ + line));
}

void irq_raised(unsigned line)
{
	if (lines[line].handler)
		lines[line].handler(lines[line].ctx);
}
