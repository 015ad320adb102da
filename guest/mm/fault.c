/* SPDX-License-Identifier: MIT */
/*
 * Where ring 0 is emulated an instruction costs up to a microsecond, and more
 * if it touches memory. So the path of a demand fault remembers what it found
 * last time (area, table) and has no call it can do without.
 */
#include "guest/mm/fault.h"

#include "guest/cpu/cpu.h"
#include "guest/dev/lab.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/frame.h"
#include "guest/mm/table.h"
#include "guest/proc/process.h"
#include "guest/proc/refuse.h"

uint64_t fault_counts[FAULT_KINDS];

/* The leaf for @va. Faults come in runs, and a run shares its last table. */
static inline uint64_t *leaf_slot(struct space *s, uintptr_t va)
{
	uintptr_t base = va & ~(LARGE_SIZE - 1);
	uint64_t *slot;

	if (s->table && s->table_base == base)
		return s->table + level_index(va, 1);
	slot = table_slot(s->root, va, 1);
	if (slot) {
		s->table_base = base;
		s->table = slot - level_index(va, 1);
	}
	return slot;
}

/* A page of a file that may be written: a copy of our own. */
static bool copy_file_page(uint64_t *slot, const struct vma *v, uintptr_t va)
{
	struct frame *f = frame_alloc(FRAME_USER);
	size_t from = va - v->start;
	size_t n = v->file_bytes > from ? v->file_bytes - from : 0;

	if (!f)
		return false;
	memcpy(direct(frame_pa(f)), direct((pa_t){ v->file.v + from }),
	       n < PAGE_SIZE ? n : PAGE_SIZE);
	table_set(slot, va, frame_pa(f).v | v->bits);
	return true;
}

/* The image's own frame is mapped, or a copy of it. */
static bool fill_from_file(uint64_t *slot, const struct vma *v, uintptr_t va)
{
	if (!v->borrowed)
		return copy_file_page(slot, v, va);
	table_set(slot, va, (v->file.v + va - v->start) | v->bits);
	return true;
}

static inline uint64_t *fill(struct space *s, struct vma *v, uintptr_t va)
{
	uint64_t *slot = leaf_slot(s, va);
	struct frame *f;

	va = page_down(va);
	if (!slot)
		return NULL;
	if (v->kind == LAB_FAULT_DEMAND_FILE)
		return fill_from_file(slot, v, va) ? slot : NULL;
	f = frame_alloc(FRAME_USER);
	if (!f)
		return NULL;
	table_set(slot, va, frame_pa(f).v | v->bits);
	if (v->kind == LAB_FAULT_STACK && va < v->start)
		v->start = va;
	return slot;
}

uint64_t *fault_fill(struct space *s, struct vma *v, uintptr_t va)
{
	return fill(s, v, va);
}

static bool allows(const struct vma *v, uint64_t error)
{
	if (error & FAULT_W)
		return v->prot & PROT_WRITE;
	if (error & FAULT_I)
		return v->prot & PROT_EXEC;
	return v->prot;
}

/*
 * A fault with P set had a page and lacked a right: we never leave a right
 * out that the area grants. The kernel itself touches no user address.
 */
static inline enum lab_fault_kind resolve(uintptr_t va, uint64_t error)
{
	struct space *s = current()->space;
	struct vma *v;

	if ((error & (FAULT_P | FAULT_RSVD | FAULT_U)) != FAULT_U)
		return LAB_FAULT_REFUSED;
	v = space_find(s, va);
	if (!v || !allows(v, error))
		return LAB_FAULT_REFUSED;
	if (!fill(s, v, va)) {
		print("kernel: out of frames\n");
		return LAB_FAULT_REFUSED;
	}
	return v->kind;
}

static __attribute__((noinline)) void record(const struct trap_frame *f,
					     uintptr_t va, uint64_t tsc,
					     enum lab_fault_kind kind)
{
	uint64_t ticks = rdtsc() - tsc;

	lab_record(&(struct lab_fault){
		.tsc = tsc,
		.gva = va,
		.rip = f->rip,
		.cr3 = read_cr3(),
		.error = (uint32_t)f->error,
		.pid = current()->pid,
		.kind = kind,
		.ticks = ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks,
	});
}

void page_fault(struct trap_frame *f)
{
	uint64_t tsc = lab_tracing ? rdtsc() : 0;
	uintptr_t va = read_cr2();
	enum lab_fault_kind kind = resolve(va, f->error);

	fault_counts[kind]++;
	if (tsc)
		record(f, va, tsc, kind);
	if (kind != LAB_FAULT_REFUSED)
		return;
	process_refuse(f, va);
}

const char *fault_reason(uint64_t error)
{
	bool present = error & FAULT_P;

	if (error & FAULT_I)
		return present ? "execution of data" : "execution of nothing";
	if (error & FAULT_W)
		return present ? "write without the right" : "write to nothing";
	return present ? "read without the right" : "read of nothing";
}

uint64_t fault_total(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < FAULT_KINDS; i++)
		sum += fault_counts[i];
	return sum;
}
