/* SPDX-License-Identifier: MIT */
/*
 * segments: what 64-bit mode leaves of segmentation: two rings, the stack of
 * the inner one, and the bases of FS and GS, of which each process has its own.
 */
#include "guest/cpu/selector.h"
#include "guest/cpu/smp.h"
#include "guest/user/tour/demo.h"

demo_fn demo_segments;

#define RING 3u

/* What a descriptor says (SDM vol. 3, 3.4.5). */
#define DPL(descriptor)	 ((descriptor) >> 45 & RING)
#define CODE_64		 (1ul << 47 | 1ul << 53 | 3ul << 43)
#define CODE_64_MASK	 (CODE_64 | 1ul << 54)
#define TYPE(descriptor) ((descriptor) >> 40 & 0x9f)
#define TSS_64		 0x89ul /* 0x8b when it is in use */

static uint16_t code_selector(void)
{
	uint16_t cs;

	__asm__("mov %%cs, %0" : "=r"(cs));
	return cs;
}

static uint64_t read_fs_0(void)
{
	uint64_t v;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(v));
	return v;
}

static uint64_t read_gs_0(void)
{
	uint64_t v;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

/* Thread-local storage: at an offset from FS, of which each process has one. */
static _Thread_local volatile uint64_t local = 'p';

/* The processor's table of descriptors lies beside its TSS. */
static void check_descriptors(struct demo *d, const struct sys_probe *p)
{
	const uint64_t at = p->tss - offsetof(struct cpu, tss) +
			    offsetof(struct cpu, gdt) - KERNEL_BASE;
	uint64_t gdt[GDT_ENTRIES], *tss = &gdt[TSS_SEL / 8];

	for (unsigned i = 0; i < GDT_ENTRIES; i++)
		demo_is(d, sys_memory(at + i * 8, &gdt[i], 8), 0);
	demo_is(d, gdt[0], 0);
	demo_is(d, gdt[KERNEL_CS / 8] & CODE_64_MASK, CODE_64);
	demo_is(d, gdt[USER_CS / 8] & CODE_64_MASK, CODE_64);
	demo_is(d, DPL(gdt[KERNEL_CS / 8]), 0);
	demo_is(d, DPL(gdt[USER_CS / 8]), 3);
	demo_is(d, DPL(gdt[USER_SS / 8]), 3);
	demo_is(d, TYPE(tss[0]) & ~2ul, TSS_64);
	demo_is(d,
		(tss[0] >> 16 & 0xffffff) | (tss[0] >> 56) << 24 | tss[1] << 32,
		p->tss);
	demo_note(d, "GDT at %#lx: code of ring 0 %#lx, of ring 3 %#lx; ",
		  at + KERNEL_BASE, gdt[KERNEL_CS / 8], gdt[USER_CS / 8]);
}

/* The four addresses of one variable. */
static void show_addresses(struct demo *d)
{
	const struct lab_walk *w;
	uint64_t linear = (uintptr_t)&local, base = read_fs_0();

	demo_note(d, "fs:%ld -> linear %#lx -> guest-physical %#lx",
		  (int64_t)(linear - base), linear, demo_walk(&local).pa);
	if (!demo_info().lab)
		return;
	w = demo_lab_walk(d, linear);
	demo_is(d, w->found, 1);
	demo_is(d, w->gpa, demo_walk(&local).pa);
	demo_note(d, " -> host %#lx",
		  (w->ref[w->refs - 1].entry & PTE_FRAME) + linear % PAGE_SIZE);
}

/* What GS begins with: each process says where, and what is there. */
static uint64_t by_gs;

/* Other bases, in another process at the same time on the same CPU. */
static void other_bases(struct demo *d, void *what)
{
	static uint64_t storage[4] __attribute__((aligned(16)));
	uint64_t *self = &storage[3];

	(void)what;
	sys_cpu(0);
	demo_is(d, local, 'p'); /* fork has copied it with all else */
	*self = (uintptr_t)self;
	storage[0] = 'C';
	demo_is(d, sys_set_bases((uintptr_t)self, (uintptr_t)storage), 0);
	local = 'c';
	for (unsigned i = 0; i < 5; i++) {
		demo_is(d, read_fs_0(), (uintptr_t)self);
		demo_is(d, local, 'c');
		demo_is(d, read_gs_0(), 'C');
		sys_sleep(1);
	}
}

void demo_segments(struct demo *d)
{
	struct sys_probe p = { 0 };
	uint64_t base = read_fs_0();
	int64_t pid;

	demo_is(d, sys_probe(&p), 0);
	/* Without stage 2 in hardware, ring 3 may run in a selector of the
	 * host's: only its ring is certain. */
	demo_is(d, code_selector() & RING, 3);
	demo_is(d, p.cs, KERNEL_CS);
	demo_is(d, p.cs & RING, 0);
	demo_is(d, p.tr, TSS_SEL);
	demo_true(d, p.tss >> 47 && p.rsp0 >> 47);
	demo_is(d, p.fs_base, base);
	demo_note(d,
		  "ring 3 runs in %#x, ring 0 in %#lx; TSS %#lx at %#lx, "
		  "stack for ring 0 %#lx; ",
		  code_selector(), p.cs, p.tr, p.tss, p.rsp0);
	check_descriptors(d, &p);
	show_addresses(d);
	sys_cpu(0);
	by_gs = 'P';
	demo_is(d, sys_set_bases(base, (uintptr_t)&by_gs), 0);
	pid = demo_child(d, other_bases, NULL);
	for (unsigned i = 0; i < 5 && pid > 0; i++) {
		demo_is(d, read_fs_0(), base);
		demo_is(d, local, 'p');
		demo_is(d, read_gs_0(), 'P');
		sys_sleep(1);
	}
	demo_join(d, pid);
	demo_note(d,
		  "; another process's bases of FS and GS: each kept its own");
}
