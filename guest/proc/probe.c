/* SPDX-License-Identifier: MIT */
/*
 * What only ring 0 can try, for the demonstrations (SYS_PROBE): a program says
 * step by step what to do to two sets of tables, which have the kernel's half
 * and one page in the lower one, and hears what was read there. A processor may
 * forget a translation whenever it likes (SDM vol. 3, 4.10.2.3), so what is
 * read before a flush is only reported; what is read after it is right or
 * wrong.
 */
#include "guest/cpu/smp.h"
#include "guest/lib/base.h"
#include "guest/mm/frame.h"
#include "guest/mm/table.h"
#include "guest/proc/syscall.h"

#define PROBE_AT   0x40000000ul
#define PROBE_BITS (PTE_P | PTE_W | PTE_A | PTE_D)

/* What a program may add to them. */
#define PROBE_CHOICE (PTE_U | PTE_PWT | PTE_PCD | PTE_G)

/* Its entry is beside that of PROBE_AT, two levels up. */
#define GIANT_AT (PROBE_AT + (1ul << 30))

/* Ring 0 tries it: an answer, or PROBE_REFUSED. */
typedef uint32_t try_fn(uint64_t argument);

/* What @fn answers, if no exception ends it: trap.c knows of that. */
static uint32_t try(try_fn *fn, uint64_t argument)
{
	static uint64_t stack;
	uint32_t answer;

	__asm__ volatile("mov %%rsp, %[stack]\n\t"
			 "movq $1f, trap_fixup\n\t"
			 "call *%[fn]\n\t"
			 "jmp 2f\n"
			 "1:\n\t"
			 "mov %[stack], %%rsp\n\t"
			 "mov %[refused], %%eax\n"
			 "2:\n\t"
			 "movq $0, trap_fixup"
			 : "=a"(answer), [stack] "+m"(stack), "+D"(argument)
			 : [fn] "r"(fn), [refused] "i"(PROBE_REFUSED)
			 : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11",
			   "r12", "r13", "r14", "r15", "memory");
	return answer;
}

static uint32_t read_page(uint64_t at)
{
	return *(volatile uint32_t *)at;
}

/* Two tables, the entry of each for PROBE_AT, and what it may map. */
struct stage {
	pa_t root[2];
	uint64_t *slot[2];
	struct frame *page[2]; /* page n holds n, then code that answers n */
};

#define CODE_AT 8
#define CODE(n) (0xc300000000b8 | (n) << 8) /* mov $n, %eax; ret */

/* Without memory only a part of it is there. */
static bool stage_begin(struct stage *s)
{
	for (unsigned i = 0; i < 2; i++) {
		s->page[i] = frame_alloc(FRAME_TABLE);
		if (!s->page[i] || !kmap_new_root(&s->root[i]))
			return false;
		memcpy(frame_bytes(s->page[i]), (uint64_t[]){ i, CODE(i) }, 16);
		s->slot[i] = table_slot(s->root[i], PROBE_AT, 1);
		if (!s->slot[i])
			return false;
		*s->slot[i] = frame_pa(s->page[0]).v | PROBE_BITS | pte_nx;
	}
	return true;
}

/*
 * A global translation outlives its tables: it is taken out by itself. What
 * tlb_load had loaded it had so when getting the tables slept last.
 */
static void stage_end(struct stage *s)
{
	invlpg(PROBE_AT);
	tlb_load(NULL);
	write_cr3(kernel_root.v);
	for (unsigned i = 0; i < 2; i++) {
		if (s->page[i])
			frame_put(s->page[i]);
		if (s->root[i].v)
			table_free(s->root[i]);
	}
}

static void take_step(struct stage *s, struct probe_step *step)
{
	unsigned which = step->tables & 1;
	uint64_t pa = frame_pa(s->page[step->page & 1]).v;
	uint64_t tag = tlb_tagged ? TLB_TAGS + 1 + which : 0;
	uint64_t keep = tlb_tagged && step->keep ? CR3_KEEP : 0;

	switch (step->what) {
	case PROBE_MAP:
		*s->slot[which] = pa | PROBE_BITS |
				  (step->bits & PROBE_CHOICE) |
				  (step->bits & PTE_U ? 0 : pte_nx);
		break;
	case PROBE_LOAD:
		write_cr3(s->root[which].v | tag | keep);
		break;
	case PROBE_FLUSH: /* broken, what was remembered stays; else it lies */
		if (!broken("tlb"))
			invlpg(PROBE_AT);
		else if (try(read_page, PROBE_AT))
			*s->slot[which] = frame_pa(s->page[0]).v | PROBE_BITS;
		break;
	case PROBE_READ:
		step->page = try(read_page, PROBE_AT);
		break;
	case PROBE_GIANT:
		*table_slot(s->root[which], GIANT_AT, 3) =
			(pa & -level_bytes(3)) | PROBE_BITS | PTE_PS | pte_nx;
		step->page = try(read_page, GIANT_AT + pa % level_bytes(3));
		break;
	case PROBE_RUN:
		step->page = try((try_fn *)(PROBE_AT + CODE_AT), 0);
		break;
	}
}

static int try_tables(struct sys_probe *p)
{
	struct stage s = { 0 };
	bool begun = stage_begin(&s);
	uint64_t cr4 = read_cr4();

	if (broken("smap"))
		write_cr4(cr4 & ~(CR4_SMEP | CR4_SMAP));
	if (begun)
		take_step(&s, &(struct probe_step){ .what = PROBE_LOAD });
	for (unsigned i = 0; begun && i < PROBE_STEPS; i++)
		take_step(&s, &p->step[i]);
	write_cr4(cr4);
	stage_end(&s);
	return begun ? 0 : -ENOMEM;
}

static const uint64_t constant = 1;

static uint32_t write_constant(uint64_t value)
{
	volatile uint64_t *at = (volatile uint64_t *)(uintptr_t)&constant;

	*at = value;
	return *at == value;
}

static void try_constant(struct sys_probe *p)
{
	write_cr0(read_cr0() & ~CR0_WP);
	p->written = try(write_constant, 2) == 1;
	if (!broken("pte-bits"))
		write_cr0(read_cr0() | CR0_WP);
	p->refused = try(write_constant, 1) == PROBE_REFUSED;
	write_cr0(read_cr0() | CR0_WP);
}

static void look_at_segments(struct sys_probe *p)
{
	const struct cpu *c = this_cpu();

	__asm__("mov %%cs, %0" : "=r"(p->cs));
	__asm__("str %0" : "=r"(p->tr));
	p->tss = (uintptr_t)&c->tss;
	p->rsp0 = c->tss.rsp[0];
	p->fs_base = rdmsr(MSR_FS_BASE);
	p->pat = rdmsr(0x277); /* IA32_PAT */
}

int64_t sys_probe(const struct trap_frame *f)
{
	struct sys_probe p;
	int error;

	if (user_read(current()->space, &p, f->rdi, sizeof(p)))
		return -EFAULT;
	try_constant(&p);
	look_at_segments(&p);
	error = try_tables(&p);
	tlb_load(current()->space);
	return error ? error
		     : user_write(current()->space, f->rdi, &p, sizeof(p));
}
