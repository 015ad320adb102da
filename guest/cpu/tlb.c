/* SPDX-License-Identifier: MIT */
/* Stale translations: flushes here, shoot-downs elsewhere, and PCIDs. */
#include "guest/cpu/tlb.h"

#include "guest/cpu/smp.h"
#include "guest/dev/apic.h"
#include "guest/dev/lab.h"
#include "guest/lib/broken.h"
#include "guest/lib/counts.h"
#include "guest/mm/table.h"

bool tlb_tagged;

/* Global translations too, of all PCIDs (SDM vol. 3, 4.10.4.1). */
static void flush_all(void)
{
	uint64_t cr4 = read_cr4();

	write_cr4(cr4 & ~CR4_PGE);
	write_cr4(cr4);
	write_cr3(read_cr3());
}

/* Ask @c, which may be in ring 3, idle, or waiting for the lock; and wait. */
static void shoot(struct cpu *c)
{
	counts.shootdowns++;
	__atomic_store_n(&c->tlb.asked, true, __ATOMIC_RELEASE);
	lapic_send(c->number, TRAP_KICK);
	while (__atomic_load_n(&c->tlb.asked, __ATOMIC_ACQUIRE))
		__asm__ volatile("pause");
}

void tlb_answer(void)
{
	struct tlb *t = &this_cpu()->tlb;

	if (!__atomic_load_n(&t->asked, __ATOMIC_ACQUIRE))
		return;
	flush_all();
	__atomic_store_n(&t->asked, false, __ATOMIC_RELEASE);
}

/* The tag by which @t has translations of @s; TLB_TAGS: none. */
static unsigned find(const struct tlb *t, const struct space *s)
{
	unsigned i = 0;

	while (i < TLB_TAGS && t->tag[i] != s->id)
		i++;
	return i;
}

/*
 * What another processor keeps of @s while it runs something else is not worth
 * a call. Of the kernel's half any processor may have it; with PCIDs an invlpg
 * takes a global translation from all.
 */
static void flush_others(const struct space *s)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		struct cpu *c = &cpus[i];

		if (s && c->tlb.loaded != s)
			c->tlb.tag[find(&c->tlb, s)] = 0;
		else if (c != this_cpu())
			shoot(c);
	}
}

void tlb_flush_page(struct space *s, uintptr_t va)
{
	if (!s || this_cpu()->tlb.loaded == s)
		invlpg(va);
	if (!broken("asid"))
		flush_others(s);
}

void tlb_flush_space(struct space *s)
{
	if (this_cpu()->tlb.loaded == s)
		write_cr3(read_cr3());
	if (!broken("asid"))
		flush_others(s);
}

/* CR3 of @s where translations are tagged: a tag it has, or the oldest. */
static uint64_t tagged(struct tlb *t, const struct space *s)
{
	unsigned i = find(t, s);

	if (i < TLB_TAGS)
		return s->root.v | (i + 1) | CR3_KEEP;
	i = t->next++ % TLB_TAGS;
	t->tag[i] = s->id;
	return s->root.v | (i + 1);
}

void tlb_load(struct space *s)
{
	struct cpu *c = this_cpu();
	struct tlb *t = &c->tlb;

	lab_runs(c->number, s ? s->root.v : kernel_root.v, c->running->pid);
	if (t->loaded == s)
		return;
	t->loaded = s;
	if (!s)
		write_cr3(kernel_root.v);
	else
		write_cr3(tlb_tagged ? tagged(t, s) : s->root.v);
}
