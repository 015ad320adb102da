/* SPDX-License-Identifier: MIT */
#include "guest/cpu/tlb.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/smp.h"
#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/mm/kmap.h"

#define CR4_PGE	 (1ul << 7)
#define CR3_KEEP (1ul << 63) /* do not flush this PCID's translations */

bool tlb_tagged;

static void flush_space(void)
{
	write_cr3(read_cr3());
}

/* Global translations too, of all PCIDs (SDM vol. 3, 4.10.4.1). */
static void flush_all(void)
{
	uint64_t cr4 = read_cr4();

	write_cr4(cr4 & ~CR4_PGE);
	write_cr4(cr4);
	flush_space();
}

/* Ask @c, which may be in ring 3, idle, or waiting for the lock; and wait. */
static void shoot(struct cpu *c, int what)
{
	counts.shootdowns++;
	__atomic_store_n(&c->tlb.asked, what, __ATOMIC_RELEASE);
	smp_kick(c);
	while (__atomic_load_n(&c->tlb.asked, __ATOMIC_ACQUIRE))
		__asm__ volatile("pause");
}

void tlb_answer(void)
{
	struct tlb *t = &this_cpu()->tlb;

	int what = __atomic_load_n(&t->asked, __ATOMIC_ACQUIRE);

	if (what == TLB_NOTHING)
		return;
	if (what == TLB_ALL)
		flush_all();
	else
		flush_space();
	__atomic_store_n(&t->asked, TLB_NOTHING, __ATOMIC_RELEASE);
}

/* What a processor keeps of @s while it runs another is not worth a call. */
static void mark_stale(struct tlb *t, uint64_t id)
{
	for (unsigned i = 0; i < TLB_TAGS; i++)
		if (t->tag[i].id == id)
			t->tag[i].stale = true;
}

static void flush_others(struct space *s)
{
	if (broken("asid"))
		return;
	for (unsigned i = 0; i < cpu_count; i++) {
		struct cpu *c = &cpus[i];

		if (c->tlb.loaded != s)
			mark_stale(&c->tlb, s->id);
		else if (c != this_cpu())
			shoot(c, TLB_SPACE);
	}
}

/* Any processor may have it; with PCIDs invlpg takes a global one from all. */
static void flush_kernel_page(uintptr_t va)
{
	invlpg(va);
	for (unsigned i = 0; i < cpu_count; i++)
		if (&cpus[i] != this_cpu())
			shoot(&cpus[i], TLB_ALL);
}

void tlb_flush_page(struct space *s, uintptr_t va)
{
	if (!s) {
		flush_kernel_page(va);
		return;
	}
	if (this_cpu()->tlb.loaded == s)
		invlpg(va);
	if (cpu_count > 1 || tlb_tagged)
		flush_others(s);
}

void tlb_flush_space(struct space *s)
{
	if (this_cpu()->tlb.loaded == s)
		flush_space();
	if (cpu_count > 1 || tlb_tagged)
		flush_others(s);
}

/* CR3 of @s where translations are tagged: a tag it has, or the oldest. */
static uint64_t tagged(struct tlb *t, const struct space *s)
{
	unsigned i;

	for (i = 0; i < TLB_TAGS; i++)
		if (t->tag[i].id == s->id && !t->tag[i].stale)
			return s->root.v | (i + 1) | CR3_KEEP;
	for (i = 0; i < TLB_TAGS; i++)
		if (t->tag[i].id == s->id)
			break;
	if (i == TLB_TAGS)
		i = t->next++ % TLB_TAGS;
	t->tag[i].id = s->id;
	t->tag[i].stale = false;
	return s->root.v | (i + 1);
}

void tlb_load(struct space *s)
{
	struct tlb *t = &this_cpu()->tlb;

	if (t->loaded == s)
		return;
	t->loaded = s;
	if (!s)
		write_cr3(kernel_root.v);
	else
		write_cr3(tlb_tagged ? tagged(t, s) : s->root.v);
}
