/* SPDX-License-Identifier: MIT */
/* What this processor can do is turned on. */
#include "guest/cpu/cpu.h"

#include "guest/cpu/tlb.h"
#include "guest/mm/pte.h"

#define CR0_EM	  (1ul << 2)
#define CR4_MCE	  (1ul << 6)
#define CR4_PCIDE (1ul << 17)
#define EFER_NXE  (1ul << 11)

uint64_t pte_nx, pte_g;

/*
 * SMAP may stay armed for ever: the kernel reaches user memory through the
 * direct map only (mm/space.h), never through a user mapping.
 */
void cpu_init(void)
{
	uint32_t leaves = cpuid(0).a;
	struct cpuid features = cpuid(1);
	struct cpuid extended = cpuid(0x80000001);
	uint32_t more = leaves >= 7 ? cpuid(7).b : 0;
	uint64_t cr4 = read_cr4();

	if (extended.d & 1u << 20) {
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
		pte_nx = PTE_NX;
	}
	if (features.d & 1u << 7)
		cr4 |= CR4_MCE;
	if (features.d & 1u << 13) {
		cr4 |= CR4_PGE;
		pte_g = PTE_G;
	}
	if (features.c & 1u << 17) {
		cr4 |= CR4_PCIDE;
		tlb_tagged = true;
	}
	if (more & 1u << 7)
		cr4 |= CR4_SMEP;
	if (more & 1u << 20)
		cr4 |= CR4_SMAP;
	write_cr4(cr4);
	write_cr0(read_cr0() | CR0_WP | CR0_EM);
}
