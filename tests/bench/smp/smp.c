/* SPDX-License-Identifier: MIT */
/*
 * smp.elf, command line "CPUS MIB RANDOM": a guest that touches memory on one
 * CPU, or one half of it on each of two, for the first time, in ring 3, in
 * order (RANDOM 0) or not (1). Prints the TSC ticks from when both were ready
 * until both were done, and ends the machine.
 */
#include <stddef.h>
#include <stdint.h>

#include "guest/boot/pvh.h"
#include "guest/lib/format.h"
#include "guest/user/lib/random.h"

#define PAGE	 4096ul
#define MEMORY	 0x1000000ul /* behind us, to the end of the first GiB */
#define APIC	 ((volatile uint32_t *)0xfee00000ul)
#define APIC_SVR 0x3c /* spurious vector and enable, in words */
#define APIC_ICR 0xc0
#define APIC_TO	 0xc4
#define SIPI	 0x4608 /* start at page 8 */
#define INIT	 0x4500

struct gate {
	uint16_t low, selector, flags, middle;
	uint32_t high, reserved;
};

extern const struct hvm_start_info *start_info;
extern struct gate idt[16];
extern uint16_t gdt_tss[];
extern uint8_t tss[];
void on_ud(void);
void *smp_main(unsigned cpu);
_Noreturn void smp_end(void);

static uint64_t cpus, mib, random;
static volatile uint64_t ready, done, ticks;

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static const char *parse(const char *text, uint64_t *value)
{
	for (*value = 0; *text >= '0' && *text <= '9'; text++)
		*value = *value * 10 + (uint64_t)(*text - '0');
	return text + (*text == ' ');
}

/* Ring 3, CPU @cpu: its part of the pages. */
static _Noreturn void touch(uint64_t cpu)
{
	uint64_t pages = (mib << 20) / PAGE / cpus, start;
	volatile uint8_t *at = (uint8_t *)(MEMORY + cpu * pages * PAGE);

	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (ready < cpus)
		;
	start = rdtsc();
	for (uint64_t i = 0; i < pages; i++)
		at[(random ? permute(i, pages, 1) : i) * PAGE] = 1;
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
	while (done < cpus || cpu)
		;
	ticks = rdtsc() - start;
	__asm__ volatile("ud2");
	__builtin_unreachable();
}

static void start_second(void)
{
	APIC[APIC_SVR] = 0x1ff;
	APIC[APIC_TO] = 1u << 24;
	APIC[APIC_ICR] = INIT;
	APIC[APIC_TO] = 1u << 24;
	APIC[APIC_ICR] = SIPI;
}

/* Invalid opcode is how ring 3 comes back to us. */
static void prepare_return(void)
{
	uint64_t at = (uintptr_t)on_ud, task = (uintptr_t)tss;

	idt[6] = (struct gate){ .low = (uint16_t)at,
				.selector = 0x08,
				.flags = 0x8e00,
				.middle = (uint16_t)(at >> 16) };
	gdt_tss[0] = (uint16_t)task;
	((uint8_t *)gdt_tss)[2] = (uint8_t)(task >> 16);
	((uint8_t *)gdt_tss)[5] = (uint8_t)(task >> 24);
}

/* Ring 0. Where ring 3 begins. */
void *smp_main(unsigned cpu)
{
	if (cpu == 0) {
		const char *text =
			(const char *)(uintptr_t)start_info->cmdline_at;

		parse(parse(parse(text, &cpus), &mib), &random);
		prepare_return();
		if (cpus == 2)
			start_second();
	}
	return (void *)touch;
}

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void smp_end(void)
{
	char text[80];

	format(text, sizeof(text), "smp: %lu CPUs, %lu pages, %lu ticks\n",
	       cpus, (mib << 20) / PAGE, ticks);
	for (const char *at = text; *at; at++)
		out8(0x3f8, (uint8_t)*at);
	__asm__ volatile("outl %0, %1" : : "a"(0), "Nd"((uint16_t)0xf4));
	for (;;)
		;
}
