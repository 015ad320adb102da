/* SPDX-License-Identifier: MIT */
/* pte-bits: what each bit of an entry does. */
#include "guest/user/tour/demo.h"

demo_fn demo_pte_bits;

/* A and D are the processor's to set, ours to clear. */
static void show_accessed_dirty(struct demo *d, volatile char *page)
{
	demo_is(d, demo_leaf(page) & PTE_P, 0);
	(void)*page;
	demo_is(d, demo_leaf(page) & (PTE_P | PTE_A | PTE_D), PTE_P | PTE_A);
	demo_note(d, "read: P A");
	*page = 1;
	demo_is(d, demo_leaf(page) & (PTE_A | PTE_D), PTE_A | PTE_D);
	demo_note(d, "; write: P A D");

	demo_is(d, sys_madvise((uintptr_t)page, PAGE_SIZE, MADVISE_COLD), 0);
	demo_is(d, demo_leaf(page) & (PTE_A | PTE_D), 0);
	(void)*page;
	demo_is(d, demo_leaf(page) & (PTE_A | PTE_D), PTE_A);
	demo_note(d, "; cleared, read: A");
	*page = 2;
	demo_is(d, demo_leaf(page) & (PTE_A | PTE_D), PTE_A | PTE_D);
	demo_note(d, "; write: A D");
}

/* W, U and NX: set and clear, and the access they decide. */
static void show_rights(struct demo *d, volatile char *page)
{
	uint64_t at = (uintptr_t)page;

	demo_is(d, demo_leaf(page) & (PTE_W | PTE_U), PTE_W | PTE_U);
	demo_is(d, access_error(at, WRITE), ACCESS_DONE);
	sys_mprotect(at, PAGE_SIZE, PROT_READ);
	demo_is(d, demo_leaf(page) & (PTE_W | PTE_U), PTE_U);
	demo_is(d, access_error(at, WRITE), FAULT_P | FAULT_W | FAULT_U);
	demo_note(d, "; W off: write refused");

	if (demo_info().no_execute) {
		demo_is(d, demo_leaf(page) & PTE_NX, PTE_NX);
		demo_is(d, access_error(at, EXECUTE),
			FAULT_P | FAULT_U | FAULT_I);
		demo_note(d, "; NX: execution refused");
	}
	sys_mprotect(at, PAGE_SIZE, PROT_NONE);
	demo_is(d, demo_leaf(page) & PTE_P, 0);
	demo_is(d, demo_leaf(page) & PTE_KEPT, PTE_KEPT);
	demo_is(d, access_error(at, READ), FAULT_U);
	sys_mprotect(at, PAGE_SIZE, PROT_READ);
	demo_is(d, (uint8_t)*page, RET_OPCODE); /* as written above */
	demo_note(d, "; P off: read refused, the page kept");
}

/* In ring 0 a missing W holds only while CR0.WP is set. */
static void show_write_protect(struct demo *d)
{
	struct sys_probe p = { 0 };

	demo_is(d, sys_probe(&p), 0);
	demo_is(d, p.written, 1);
	demo_is(d, p.refused, 1);
	demo_note(d, "; ring 0, W off: written with CR0.WP off, refused with "
		     "it on");
}

/*
 * U is for ring 3: with SMAP ring 0 may not read such a page, with SMEP not
 * execute it.
 */
static void show_user(struct demo *d)
{
	struct sys_info info = demo_info();
	struct sys_probe p = {
		.step = {
			{ .what = PROBE_READ },
			{ .what = PROBE_MAP, .bits = PTE_U, .page = 1 },
			{ .what = PROBE_FLUSH },
			{ .what = PROBE_READ },
			{ .what = PROBE_RUN },
		},
	};

	demo_is(d, sys_probe(&p), 0);
	demo_is(d, p.step[0].page, 0);
	demo_is(d, p.step[3].page, info.smap ? PROBE_REFUSED : 1);
	demo_is(d, p.step[4].page, info.smep ? PROBE_REFUSED : 1);
	demo_note(d, "; U on, ring 0: read %s, executed %s",
		  info.smap ? "refused (SMAP)" : "(no SMAP here)",
		  info.smep ? "refused (SMEP)" : "(no SMEP here)");
}

/* Types of memory (SDM vol. 3, 12.12.2). */
enum { UNCACHED = 0, WRITE_THROUGH = 4, WRITE_BACK = 6, UNCACHED_MINUS = 7 };

/* What an entry of 4 KiB says by PWT and PCD: one of the bytes of IA32_PAT. */
static unsigned memory_type(uint64_t pat, uint64_t entry)
{
	unsigned byte = (entry & PTE_PWT ? 1 : 0) + (entry & PTE_PCD ? 2 : 0);

	return pat >> 8 * byte & 0xff;
}

/*
 * Under a hypervisor it has the last word on what is cached: to be seen is that
 * these bits select, and that the page is the same.
 */
static void show_memory_types(struct demo *d, volatile char *page)
{
	struct sys_info info = demo_info();
	uint64_t at_registers = demo_leaf((void *)info.lapic);
	struct sys_probe p = {
		.step = {
			{ .what = PROBE_MAP, .bits = PTE_PWT, .page = 1 },
			{ .what = PROBE_FLUSH },
			{ .what = PROBE_READ },
			{ .what = PROBE_MAP, .bits = PTE_PCD, .page = 0 },
			{ .what = PROBE_FLUSH },
			{ .what = PROBE_READ },
		},
	};

	demo_is(d, sys_probe(&p), 0);
	demo_is(d, p.step[2].page, 1);
	demo_is(d, p.step[5].page, 0);
	demo_is(d, memory_type(p.pat, demo_leaf(page)), WRITE_BACK);
	demo_is(d, memory_type(p.pat, PTE_PWT), WRITE_THROUGH);
	demo_is(d, memory_type(p.pat, PTE_PCD), UNCACHED_MINUS);
	demo_is(d, memory_type(p.pat, PTE_PCD | PTE_PWT), UNCACHED);
	demo_is(d, memory_type(p.pat, at_registers), UNCACHED_MINUS);
	demo_note(d,
		  "; PWT, PCD: RAM is write-back, registers uncached "
		  "(PAT %#lx)",
		  p.pat);
}

/* G: the kernel's are everybody's; tlb shows what comes of that. */
static void show_global(struct demo *d, volatile char *page)
{
	demo_is(d, demo_leaf((void *)KERNEL_TEXT) & PTE_G, PTE_G);
	demo_is(d, demo_leaf(page) & PTE_G, 0);
	demo_note(d, "; G: the kernel's pages only");
}

/* PS two levels up; without such pages that bit is reserved there. */
static void show_giant(struct demo *d)
{
	struct sys_probe p = {
		.step = { { .what = PROBE_GIANT, .page = 0 },
			  { .what = PROBE_GIANT, .page = 1 } },
	};

	demo_is(d, sys_probe(&p), 0);
	if (p.step[0].page == PROBE_REFUSED) {
		demo_is(d, p.step[1].page, PROBE_REFUSED);
		demo_note(d, "; a leaf of 1 GiB: refused, no such pages here");
		return;
	}
	demo_is(d, p.step[0].page, 0);
	demo_is(d, p.step[1].page, 1);
	demo_note(d, "; two pages read by a leaf of 1 GiB");
}

/* Who may use it, and for how much: the kernel's large leaf, without U. */
static void show_large(struct demo *d)
{
	uint64_t kernel_pa = demo_walk((void *)KERNEL_TEXT).pa;
	uint64_t at = DIRECT_BASE + kernel_pa;
	struct walk w = demo_walk((void *)at);

	demo_is(d, w.entries, 3);
	demo_is(d, w.entry[2] & (PTE_P | PTE_W | PTE_U | PTE_PS),
		PTE_P | PTE_W | PTE_PS);
	demo_is(d, w.pa, kernel_pa);
	demo_is(d, access_error(at, READ), FAULT_P | FAULT_U);
	demo_note(d,
		  "; the kernel again at %#lx, in a 2 MiB leaf (PS) without U: "
		  "read refused",
		  at);
}

/* What P leaves free when it is clear: there the page's slot of swap is. */
static void show_slot(struct demo *d, volatile char *page)
{
	uint64_t entry, used = demo_counts().slots_used;
	struct frame f = { 0 };

	if (!demo_counts().slots_total) {
		demo_note(d, "; no swap disk");
		return;
	}
	demo_is(d, demo_page_out(d, page, 1), 0);
	entry = demo_leaf(page);
	demo_is(d, entry & (PTE_P | PTE_KEPT | PTE_SWAPPED), PTE_SWAPPED);
	demo_is(d, demo_counts().slots_used - used, 1);
	demo_is(d, (uint8_t)*page, RET_OPCODE);
	kernel_frame(demo_walk(page).pa, &f);
	demo_is(d, f.slot, pte_slot(entry));
	demo_note(d,
		  "; out: entry %#lx without P names slot %u of swap, where "
		  "it came back from",
		  entry, f.slot);
}

void demo_pte_bits(struct demo *d)
{
	volatile char *page = demo_map(d, PAGE_SIZE, 0);

	if (!page)
		return;
	show_accessed_dirty(d, page);
	show_rights(d, page);
	show_slot(d, page);
	show_write_protect(d);
	show_user(d);
	show_memory_types(d, page);
	show_global(d, page);
	show_large(d);
	show_giant(d);
	sys_munmap((uintptr_t)page, PAGE_SIZE);
}
