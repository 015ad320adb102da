/* SPDX-License-Identifier: MIT */
/* Instructions that C has no words for. */
#ifndef GUEST_CPU_CPU_H
#define GUEST_CPU_CPU_H

#include "guest/mm/addr.h"

#define RFLAGS_IF (1u << 9)

/* Model-specific registers (SDM vol. 4). */
enum {
	MSR_APIC_BASE = 0x1b,
	MSR_EFER = 0xc0000080,
	MSR_STAR = 0xc0000081,
	MSR_LSTAR = 0xc0000082,
	MSR_FMASK = 0xc0000084,
	MSR_FS_BASE = 0xc0000100,
	MSR_GS_BASE = 0xc0000101,
	MSR_KERNEL_GS_BASE = 0xc0000102
};

struct cpuid {
	uint32_t a, b, c, d;
};

/*
 * Turn on what CPUID offers and we use: NX, global pages, SMEP, SMAP,
 * write protection in ring 0, PCIDs. Sets pte_nx, pte_g and tlb_tagged. Once
 * on each processor; a program's use of the FPU is an exception: it has none.
 */
void cpu_init(void);

static inline struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(0));
	return r;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value),
			   "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#define CONTROL_REGISTER(name)                                              \
	static inline uint64_t read_##name(void)                            \
	{                                                                   \
		uint64_t v;                                                 \
                                                                            \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(v));          \
		return v;                                                   \
	}                                                                   \
                                                                            \
	static inline void write_##name(uint64_t v)                         \
	{                                                                   \
		__asm__ volatile("mov %0, %%" #name : : "r"(v) : "memory"); \
	}

CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)

static inline void invlpg(uintptr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

/* One exit to the hypervisor for all @n bytes. */
static inline void out8_string(uint16_t port, const void *from, size_t n)
{
	__asm__ volatile("rep outsb"
			 : "+S"(from), "+c"(n)
			 : "d"(port)
			 : "memory");
}

static inline _Noreturn void cpu_stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

#endif
