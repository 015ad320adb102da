/* SPDX-License-Identifier: MIT */
/* Instructions that C has no words for. */
#pragma once

#include "guest/mm/addr.h"

#define RFLAGS_IF (1u << 9)

#define CR0_WP	  (1ul << 16)
#define CR3_KEEP  (1ul << 63) /* do not flush this PCID's translations */
#define CR4_PGE	  (1ul << 7)
#define CR4_SMEP  (1ul << 20)
#define CR4_SMAP  (1ul << 21)

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

/* cpu.S. */
struct cpuid cpuid(uint32_t leaf);
uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
uint64_t read_cr0(void);
uint64_t read_cr3(void);
uint64_t read_cr4(void);
void write_cr0(uint64_t v);
void write_cr3(uint64_t v);
void write_cr4(uint64_t v);
uint8_t in8(uint16_t port);
void out8(uint16_t port, uint8_t v);
void out32(uint16_t port, uint32_t v);
/* One exit to the hypervisor for all @n bytes. */
void out8_string(uint16_t port, const void *from, size_t n);
_Noreturn void cpu_stop(void);

/* These are on the way of a page fault, or for programs, too. */
static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline uintptr_t read_cr2(void)
{
	uintptr_t v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline void invlpg(uintptr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
