/* SPDX-License-Identifier: MIT */
/*
 * rude.elf: a guest that does what none should: its command line says what.
 * It ends with 0 where it may go on, with the number of the step that failed
 * where it should not have been answered so.
 */
#include <stdint.h>

#include "guest/abi.h"
#include "guest/boot/pvh.h"
#include "tests/guest/dma/driver.h"

#define TIMES  10000u
#define AREA   0x400000ul
#define PAGE   4096u
#define PAGES  2048u
#define EFER   0xc0000080u
#define SVME   (1u << 12)
#define NOBODY 0xd8000000ul /* no device is there */
#define PORT   0x1234u /* nor there */
#define GP     13
#define APIC   ((volatile uint32_t *)0xfee00000ul)
#define ICR    (0x300 / 4) /* the high word is 0: to ourselves */
#define SIPI   0x4608u
#define INIT   0x4500u

void on_interrupt(void);
int main(const struct hvm_start_info *info);

static _Alignas(4096) uint64_t idt[PAGE / 8];
static volatile uint64_t faults;

/* Never enabled; start.S wants to call one. */
void on_interrupt(void)
{
	end(2);
}

/* A general protection fault is counted, its instruction of two bytes left
 * out. */
__asm__(".pushsection .text\n"
	"on_fault: incq faults(%rip)\n"
	"	add $8, %rsp\n"
	"	addq $2, (%rsp)\n"
	"	iretq\n"
	".popsection\n");
extern const uint8_t on_fault[];

static void load_idt(void)
{
	const uint64_t at = (uintptr_t)on_fault;
	const struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} idtr = { sizeof(idt) - 1, (uintptr_t)idt };

	idt[2 * GP] =
		(at & 0xffff) | 8u << 16 | ((at & 0xffff0000) | 0x8e00) << 32;
	idt[2 * GP + 1] = at >> 32;
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

static uint32_t cpuid_ecx(uint32_t leaf)
{
	uint32_t ecx = 0, ebx, edx;

	__asm__ volatile("cpuid" : "+a"(leaf), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ecx;
}

static uint64_t rdmsr(uint32_t msr)
{
	uint32_t low = 0, high = 0;

	__asm__ volatile("rdmsr" : "+a"(low), "+d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)),
			   "c"(msr)
			 : "memory");
}

/* Registers that no CPU has, and the switches of nested virtualization. */
static void test_msrs(void)
{
	want(!(cpuid_ecx(1) >> 5 & 1), 10, "no VMX");
	want(!(cpuid_ecx(0x80000001) >> 2 & 1), 11, "no SVM");
	wrmsr(EFER, rdmsr(EFER) | SVME);
	want(faults == 1, 12, "SVM cannot be enabled");
	for (uint32_t i = 0; i < TIMES; i++) {
		rdmsr(0xdead0000 + i);
		wrmsr(0xdead0000 + i, i);
	}
	want(faults == 1 + 2 * TIMES, 13, "each access a fault");
}

static uint32_t in_port(void)
{
	uint32_t in;

	__asm__ volatile("inl %1, %0" : "=a"(in) : "Nd"((uint16_t)PORT));
	return in;
}

static void test_nobody(void)
{
	static uint8_t bytes[1 << 16];
	uint64_t n = sizeof(bytes);
	void *to = bytes;

	for (uint32_t i = 0; i < TIMES; i++) {
		want(in_port() == UINT32_MAX, 20, "ones from a port");
		want(*(volatile uint32_t *)(NOBODY + 4 * i) == UINT32_MAX, 21,
		     "ones from memory");
	}
	__asm__ volatile("rep insb"
			 : "+D"(to), "+c"(n)
			 : "d"((uint16_t)PORT)
			 : "memory");
	for (uint32_t i = 0; i < sizeof(bytes); i += PAGE / 4)
		want(bytes[i] == 0xff, 22, "ones from a string of reads");
}

static void test_flood(void)
{
	test_msrs();
	test_nobody();
	APIC[ICR] = SIPI; /* a CPU that runs ignores it */
}

/* More memory than is resident, in ring 0: what cannot be had again stops us,
 * and is never something else. */
static void test_memory(void)
{
	for (uint32_t pass = 0; pass < 4; pass++)
		for (uint64_t page = 0; page < PAGES; page++) {
			volatile uint64_t *at =
				(volatile uint64_t *)(AREA + page * PAGE);

			want(!pass || (at[1] == ~page && at[2] == page), 30,
			     "what was written");
			at[1] = ~page;
			at[2] = page;
		}
}

static _Noreturn void stand_still(int halted)
{
	want(in_port() == UINT32_MAX, 40, "ones, and somebody hears of it");
	for (;;)
		if (halted)
			__asm__ volatile("cli; hlt");
		else
			__asm__ volatile("pause");
}

int main(const struct hvm_start_info *info)
{
	const char *what = (const char *)(uintptr_t)info->cmdline_at;

	load_idt();
	say("does ");
	say(what);
	say("\n");
	APIC[0xf0 / 4] = 0x1ff; /* the APIC is on */
	if (what[0] == 'f')
		test_flood();
	else if (what[0] == 'r')
		test_memory();
	else if (what[0] == 'i')
		APIC[ICR] = INIT;
	else
		stand_still(what[0] == 'h');
	end(0);
}
