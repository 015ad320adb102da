/* SPDX-License-Identifier: MIT */
/*
 * Leaves are named as the SDM (volume 2, CPUID) and AMD's manual (volume 3,
 * appendix E) do. A leaf that KVM does not give is not invented.
 */
#include "vmm/cpuid.h"

#include <stdint.h>

/* Leaf 1 */
#define ECX_VMX		 (1u << 5)
#define ECX_TSC_DEADLINE (1u << 24)
#define ECX_HYPERVISOR	 (1u << 31)
#define EDX_HTT		 (1u << 28)
/* 7 */
#define ECX_LA57 (1u << 16)
/* 0x80000001 */
#define ECX_CMP_LEGACY (1u << 1)
#define ECX_SVM	       (1u << 2)

/* Levels of leaf 0xb, and what they are called there */
enum { LEVEL_THREAD, LEVEL_CORE };
#define TYPE_THREAD (1u << 8)
#define TYPE_CORE   (2u << 8)

/* The least number of bits in which 0 .. n-1 fit. */
static uint32_t bits_for(unsigned n)
{
	return n > 1 ? 32 - (uint32_t)__builtin_clz(n - 1) : 0;
}

static void features(struct kvm_cpuid_entry2 *e, unsigned index, unsigned cpus)
{
	e->ebx = (e->ebx & 0x0000ffff) | index << 24 | cpus << 16;
	e->ecx &= ~ECX_VMX;
	/* KVM's own APICs have it; its list is older than they. */
	e->ecx |= ECX_HYPERVISOR | ECX_TSC_DEADLINE;
	e->edx = cpus > 1 ? e->edx | EDX_HTT : e->edx & ~EDX_HTT;
}

/* Intel's caches: each core has its own, but for the last level. */
static void caches(struct kvm_cpuid_entry2 *e, unsigned cpus)
{
	uint32_t level = e->eax >> 5 & 7;
	uint32_t sharing = level == 3 ? cpus - 1 : 0;

	if (!(e->eax & 0x1f))
		return;
	e->eax = (e->eax & 0x3fff) | sharing << 14 | (cpus - 1) << 26;
}

static void topology(struct kvm_cpuid_entry2 *e, unsigned index, unsigned cpus)
{
	e->eax = e->ebx = 0;
	e->ecx = e->index;
	e->edx = index;
	if (e->index == LEVEL_THREAD) {
		e->ebx = 1;
		e->ecx |= TYPE_THREAD;
	} else if (e->index == LEVEL_CORE) {
		e->eax = bits_for(cpus);
		e->ebx = cpus;
		e->ecx |= TYPE_CORE;
	}
}

static void extended(struct kvm_cpuid_entry2 *e, unsigned cpus)
{
	e->ecx &= ~ECX_SVM;
	e->ecx = cpus > 1 ? e->ecx | ECX_CMP_LEGACY : e->ecx & ~ECX_CMP_LEGACY;
}

static void fit(struct kvm_cpuid_entry2 *e, unsigned index, unsigned cpus)
{
	switch (e->function) {
	case 1:
		features(e, index, cpus);
		break;
	case 4:
		caches(e, cpus);
		break;
	case 7: /* tables of 5 levels: what explains a guest's reads 4 */
		if (!e->index)
			e->ecx &= ~ECX_LA57;
		break;
	case 0xb:
	case 0x1f:
		topology(e, index, cpus);
		break;
	case 0x80000001:
		extended(e, cpus);
		break;
	case 0x80000008: /* how many cores, and in how many bits of the id */
		e->ecx = bits_for(cpus) << 12 | (cpus - 1);
		break;
	case 0x8000000a: /* SVM's own */
		e->eax = e->ebx = e->ecx = e->edx = 0;
		break;
	case 0x8000001e: /* one thread a core, one node */
		e->eax = index;
		e->ebx = index;
		e->ecx = 0;
		break;
	}
}

void cpuid_fit(struct kvm_cpuid2 *c, unsigned index, unsigned cpus)
{
	for (unsigned i = 0; i < c->nent; i++)
		fit(&c->entries[i], index, cpus);
}
