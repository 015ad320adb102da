/* SPDX-License-Identifier: MIT */
/*
 * SDM vol. 3, chapter 11 (xAPIC mode, registers of 32 bits 16 bytes apart); and
 * the IOAPIC (82093AA data sheet, 3.2).
 */
#include "guest/dev/apic.h"

#include "guest/lib/print.h"
#include "guest/mm/table.h"

enum {
	LAPIC_EOI = 0xb0,
	LAPIC_SPURIOUS = 0xf0,
	LAPIC_COMMAND = 0x300,
	LAPIC_COMMAND_TO = 0x310,
	LAPIC_TIMER = 0x320,
	LAPIC_TIMER_START = 0x380,
	LAPIC_TIMER_DIVIDE = 0x3e0,

	SPURIOUS_ENABLE = 1 << 8,
	COMMAND_ASSERT = 1 << 14,
	TIMER_PERIODIC = 1 << 17,
	DIVIDE_BY_1 = 0xb
};

/* KVM's APIC and QEMU's both count nanoseconds; no calibration is needed. */
#define LAPIC_HZ	1000000000u

#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK	0xa1

#define IOAPIC_DATA	0x10
#define IOAPIC_ENTRY	0x10 /* two registers a line from here */
#define ENTRY_LEVEL	(1u << 15)

volatile uint32_t *lapic;
static volatile uint32_t *ioapic;
uint64_t lapic_ticks;

static struct {
	irq_fn *handler;
	void *ctx;
} lines[IRQ_LINES];

void apic_init(void)
{
	pa_t base = { rdmsr(MSR_APIC_BASE) & ~(PAGE_SIZE - 1) };

	out8(PIC_MASTER_MASK, 0xff);
	out8(PIC_SLAVE_MASK, 0xff);

	lapic = mmio_map(base);
	ioapic = mmio_map(this_machine.ioapic.at); /* its lines are masked */
	lapic_init_cpu();
}

void lapic_init_cpu(void)
{
	lapic[LAPIC_SPURIOUS / 4] = SPURIOUS_ENABLE | TRAP_SPURIOUS;
	lapic[LAPIC_TIMER_DIVIDE / 4] = DIVIDE_BY_1;
	lapic[LAPIC_TIMER / 4] = TIMER_PERIODIC | TRAP_TIMER;
	lapic[LAPIC_TIMER_START / 4] = LAPIC_HZ / TICKS_PER_SECOND;
}

void lapic_end(void)
{
	lapic[LAPIC_EOI / 4] = 0;
}

void lapic_send(unsigned to, uint32_t what)
{
	lapic[LAPIC_COMMAND_TO / 4] = to << 24;
	lapic[LAPIC_COMMAND / 4] = COMMAND_ASSERT | what;
}

static void ioapic_write(unsigned at, uint32_t v)
{
	ioapic[0] = at;
	ioapic[IOAPIC_DATA / 4] = v;
}

void irq_connect(const struct spot *device, irq_fn *handler, void *ctx)
{
	const unsigned line = device->line;

	if (line >= IRQ_LINES)
		panic("there is no interrupt line %u", line);
	lines[line].handler = handler;
	lines[line].ctx = ctx;
	ioapic_write(IOAPIC_ENTRY + 2 * line + 1, 0); /* APIC 0 takes it */
	ioapic_write(IOAPIC_ENTRY + 2 * line,
		     (device->level ? ENTRY_LEVEL : 0) | (TRAP_IRQ + line));
}

void irq_raised(unsigned line)
{
	if (lines[line].handler)
		lines[line].handler(lines[line].ctx);
}
