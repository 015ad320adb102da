/* SPDX-License-Identifier: MIT */
/* SDM vol. 3, chapter 11 (xAPIC mode, registers of 32 bits 16 bytes apart). */
#include "guest/dev/lapic.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/trap.h"
#include "guest/mm/kmap.h"

enum {
	LAPIC_VERSION = 0x30,
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

static volatile uint8_t *registers;
static uint64_t ticks;

static void lapic_write(unsigned at, uint32_t v)
{
	*(volatile uint32_t *)(registers + at) = v;
}

void lapic_init(void)
{
	pa_t base = { rdmsr(MSR_APIC_BASE) & ~(PAGE_SIZE - 1) };

	out8(PIC_MASTER_MASK, 0xff);
	out8(PIC_SLAVE_MASK, 0xff);

	registers = mmio_map(base, PAGE_SIZE);
	lapic_init_cpu();
}

void lapic_init_cpu(void)
{
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | TRAP_SPURIOUS);
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_TIMER, TIMER_PERIODIC | TRAP_TIMER);
	lapic_write(LAPIC_TIMER_START, LAPIC_HZ / TICKS_PER_SECOND);
}

void lapic_end(void)
{
	lapic_write(LAPIC_EOI, 0);
}

void lapic_tick(void)
{
	ticks++;
}

void lapic_send(unsigned to, uint32_t what)
{
	lapic_write(LAPIC_COMMAND_TO, to << 24);
	lapic_write(LAPIC_COMMAND, COMMAND_ASSERT | what);
}

uint64_t lapic_ticks(void)
{
	return ticks;
}

uintptr_t lapic_va(void)
{
	return (uintptr_t)registers;
}

uint32_t lapic_version(void)
{
	return *(volatile uint32_t *)(registers + LAPIC_VERSION);
}
