/* SPDX-License-Identifier: MIT */
/*
 * Each probe works on tables of its own, which have the kernel's half and in
 * the lower one a page or two. A processor may forget a translation whenever it
 * likes (SDM vol. 3, 4.10.2.3), so what is read before a flush is only
 * reported; what is read after it is right or wrong.
 */
#include "guest/proc/syscall.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/smp.h"
#include "guest/lib/broken.h"
#include "guest/lib/errno.h"
#include "guest/mm/frame.h"
#include "guest/mm/kmap.h"
#include "guest/mm/table.h"
#include "guest/mm/user.h"

#define PROBE_AT   0x40000000ul
#define PROBE_BITS (PTE_P | PTE_W | PTE_A | PTE_D)
#define OLD	   0x01du
#define NEW	   0x4e3u
#define CR0_WP	   (1ul << 16)
#define CR3_KEEP   (1ul << 63)

/* Tables, two pages with different words, and the entry that maps them. */
struct stage {
	pa_t root;
	struct frame *old, *new;
	uint64_t *slot;
};

static volatile uint64_t *word(void)
{
	return (volatile uint64_t *)PROBE_AT;
}

static struct frame *page_with(uint64_t value)
{
	struct frame *f = frame_alloc(FRAME_TABLE);

	if (f)
		*(uint64_t *)direct(frame_pa(f)) = value;
	return f;
}

static void map(struct stage *s, const struct frame *f, uint64_t bits)
{
	*s->slot = frame_pa(f).v | PROBE_BITS | pte_nx | bits;
}

/*
 * A global translation outlives its tables: it is taken out by itself. What
 * tlb_load had loaded it had so when getting the tables slept last.
 */
static void stage_end(struct stage *s)
{
	invlpg(PROBE_AT);
	tlb_load(NULL);
	write_cr3(kmap_root().v);
	if (s->old)
		frame_put(s->old);
	if (s->new)
		frame_put(s->new);
	table_free(s->root);
}

/* 0 or -ENOMEM. */
static int stage_begin(struct stage *s)
{
	if (!kmap_new_root(&s->root))
		return -ENOMEM;
	s->old = page_with(OLD);
	s->new = page_with(NEW);
	s->slot = table_slot(s->root, PROBE_AT, 1);
	if (s->old && s->new && s->slot)
		return 0;
	stage_end(s);
	return -ENOMEM;
}

/* Map one page, read, map the other, @forget, read; then invlpg, read. */
static void swap_under(struct stage *s, uint64_t bits, void (*forget)(void),
		       uint64_t seen[3])
{
	map(s, s->old, bits);
	write_cr3(s->root.v);
	invlpg(PROBE_AT);
	seen[0] = *word();
	map(s, s->new, bits);
	forget();
	seen[1] = *word();
	if (!broken("tlb"))
		invlpg(PROBE_AT);
	else
		map(s, s->old, bits);
	seen[2] = *word();
}

static void forget_nothing(void)
{
}

static void forget_by_cr3(void)
{
	write_cr3(read_cr3());
}

/* value: old, after the change, after invlpg; what is right. */
static int probe_stale(struct sys_probe *p)
{
	struct stage s;
	int error = stage_begin(&s);

	if (error)
		return error;
	swap_under(&s, 0, forget_nothing, p->value);
	p->value[3] = NEW;
	stage_end(&s);
	return 0;
}

/* value: old, after a CR3 reload without G, with G, after invlpg; right. */
static int probe_global(struct sys_probe *p)
{
	uint64_t plain[3], global[3];
	struct stage s;
	int error = stage_begin(&s);

	if (error)
		return error;
	swap_under(&s, 0, forget_by_cr3, plain);
	swap_under(&s, pte_g, forget_by_cr3, global);
	p->value[0] = plain[0];
	p->value[1] = plain[1];
	p->value[2] = global[1];
	p->value[3] = global[2];
	p->value[4] = NEW;
	p->supported = pte_g != 0;
	stage_end(&s);
	return 0;
}

static uint64_t read_in(const struct stage *s, unsigned pcid, uint64_t keep)
{
	write_cr3(s->root.v | pcid | keep);
	return *word();
}

/*
 * Two roots, each with a page of its own at the same address. value: the word
 * in A, in B, in A again with nothing flushed; in A once more after its entry
 * changed meanwhile, kept and then flushed; what is right then.
 */
static void compare(struct stage *a, struct stage *b, uint64_t *value)
{
	const unsigned in_a = TLB_TAGS + 1, in_b = TLB_TAGS + 2;

	map(a, a->old, 0);
	map(b, b->new, 0);
	value[0] = read_in(a, in_a, 0);
	value[1] = read_in(b, in_b, 0);
	value[2] = read_in(a, in_a, CR3_KEEP);
	write_cr3(b->root.v | in_b | CR3_KEEP);
	map(a, a->new, 0);
	value[3] = read_in(a, in_a, CR3_KEEP);
	value[4] = read_in(a, in_a, 0);
	value[5] = NEW;
}

static int probe_pcid(struct sys_probe *p)
{
	struct stage a, b;
	int error;

	p->supported = tlb_tagged;
	if (!tlb_tagged)
		return 0;
	error = stage_begin(&a);
	if (error)
		return error;
	error = stage_begin(&b);
	if (!error) {
		compare(&a, &b, p->value);
		stage_end(&b);
	}
	stage_end(&a);
	return error;
}

/* A store to the kernel's text or constants: was it done? trap.c knows of it. */
static bool try_write(volatile uint64_t *at, uint64_t value)
{
	uint64_t done = 1;

	__asm__ volatile("movq $1f, trap_fixup\n\t"
			 "mov %2, %1\n\t"
			 "jmp 2f\n"
			 "1:\n\t"
			 "xor %0, %0\n"
			 "2:\n\t"
			 "movq $0, trap_fixup"
			 : "+r"(done), "=m"(*at)
			 : "r"(value)
			 : "memory");
	return done;
}

/* value: done with CR0.WP off; refused with it on. */
static int probe_wp(struct sys_probe *p)
{
	static const uint64_t constant = OLD;
	volatile uint64_t *at = (volatile uint64_t *)(uintptr_t)&constant;

	write_cr0(read_cr0() & ~CR0_WP);
	p->value[0] = try_write(at, NEW) && *at == NEW;
	if (!broken("pte-bits"))
		write_cr0(read_cr0() | CR0_WP);
	p->value[1] = !try_write(at, OLD);
	write_cr0(read_cr0() | CR0_WP);
	return 0;
}

/* value: CS, SS, TR, address of the TSS, its RSP0, FS base, GS base, GDT. */
static int probe_segments(struct sys_probe *p)
{
	const struct cpu *c = this_cpu();
	uint16_t cs, ss, tr;

	__asm__("mov %%cs, %0" : "=r"(cs));
	__asm__("mov %%ss, %0" : "=r"(ss));
	__asm__("str %0" : "=r"(tr));
	p->value[0] = broken("segments") ? 0 : cs;
	p->value[1] = ss;
	p->value[2] = tr;
	p->value[3] = (uintptr_t)&c->tss;
	p->value[4] = c->tss.rsp[0];
	p->value[5] = rdmsr(MSR_FS_BASE);
	p->value[6] = rdmsr(MSR_GS_BASE);
	p->value[7] = (uintptr_t)c->gdt;
	return 0;
}

static int (*const probes[])(struct sys_probe *p) = {
	[PROBE_WP] = probe_wp,
	[PROBE_STALE] = probe_stale,
	[PROBE_GLOBAL] = probe_global,
	[PROBE_PCID] = probe_pcid,
	[PROBE_SEGMENTS] = probe_segments,
};

int64_t sys_probe(const struct trap_frame *f)
{
	struct sys_probe p = { .supported = 1 };
	int error;

	if (f->rdi >= sizeof(probes) / sizeof(probes[0]))
		return -EINVAL;
	error = probes[f->rdi](&p);
	tlb_load(current()->space);
	return error ? error
		     : user_write(current()->space, f->rsi, &p, sizeof(p));
}
