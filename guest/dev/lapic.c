/* SPDX-License-Identifier: MIT */
/* SDM vol. 3, chapter 11 (xAPIC mode, registers of 32 bits 16 bytes apart). */
#include "guest/dev/lapic.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/trap.h"
#include "guest/mm/kmap.h"

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

volatile uint32_t *lapic;
static uint64_t ticks;

void lapic_init(void)
{
	pa_t base = { rdmsr(MSR_APIC_BASE) & ~(PAGE_SIZE - 1) };

	out8(PIC_MASTER_MASK, 0xff);
	out8(PIC_SLAVE_MASK, 0xff);

	lapic = mmio_map(base, PAGE_SIZE);
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

void lapic_tick(void)
{
	ticks++;
}

void lapic_send(unsigned to, uint32_t what)
{
	lapic[LAPIC_COMMAND_TO / 4] = to << 24;
	lapic[LAPIC_COMMAND / 4] = COMMAND_ASSERT | what;
}

uint64_t lapic_ticks(void)
{
	return ticks;
}
