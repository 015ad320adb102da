/* SPDX-License-Identifier: MIT */
/*
 * Address spaces on the host: real tables in memory of our own, and a
 * processor that remembers translations until it is told to forget them, so
 * that a flush that is missing shows as a wrong byte.
 */
#ifndef TESTS_GUEST_SPACE_FIXTURE_H
#define TESTS_GUEST_SPACE_FIXTURE_H

#include <string.h>

#include "guest/cpu/tlb.h"
#include "guest/dev/lab.h"
#include "guest/lib/errno.h"
#include "guest/mm/anon.h"
#include "guest/mm/space.h"
#include "guest/mm/table.h"
#include "guest/mm/leaf.h"
#include "guest/mm/mapping.h"
#include "guest/mm/slab.h"
#include "guest/mm/swap.h"
#include "guest/proc/syscall.h"
#include "guest/proc/process.h"
#include "guest/proc/sched.h"
#include "tests/unit/guest_fixture.h"

/* The guest's, not the host's. */
#undef PROT_NONE
#undef PROT_READ
#undef PROT_WRITE
#undef PROT_EXEC
#undef MAP_FIXED
#undef MAP_POPULATE
#undef MAP_SHARED
#undef MAP_FILE

uint64_t pte_nx = PTE_NX, pte_g = PTE_G;
union lab_shared lab_shared;

void lab_record(const struct lab_fault *fault)
{
	(void)fault;
}

void process_refuse(struct trap_frame *f, uintptr_t va)
{
	(void)f;
	(void)va;
}

void print(const char *how, ...)
{
	(void)how;
}

void sleep_on(const void *channel)
{
	(void)channel;
}

void wake(const void *channel)
{
	(void)channel;
}

bool kmap_new_root(pa_t *root)
{
	struct frame *f = frame_alloc(FRAME_TABLE);

	if (!f)
		return false;
	f->next = 0;
	*root = frame_pa(f);
	return true;
}

static pa_t gate_pa;

pa_t gate_page_pa(void)
{
	return gate_pa;
}

/* The processor's translations: one entry for each of a few pages. */
#define TLB_ENTRIES 4096u

static struct {
	const struct space *s;
	uintptr_t va;
	uint64_t leaf;
} tlb[TLB_ENTRIES];

static unsigned tlb_index(const struct space *s, uintptr_t va)
{
	return (unsigned)((va >> PAGE_SHIFT) + s->id * 17) % TLB_ENTRIES;
}

void tlb_flush_page(struct space *s, uintptr_t va)
{
	unsigned i = tlb_index(s, va);

	if (tlb[i].s == s && tlb[i].va == va)
		tlb[i].s = NULL;
}

void tlb_flush_space(struct space *s)
{
	for (unsigned i = 0; i < TLB_ENTRIES; i++)
		if (tlb[i].s == s)
			tlb[i].s = NULL;
}

/* The error code of an access at @va, 0 if it is granted; then *pa. */
static inline uint64_t translate(struct space *s, uintptr_t va, uint64_t error,
				 pa_t *pa)
{
	uint64_t need = PTE_P | PTE_U | (error & FAULT_W ? PTE_W : 0);
	unsigned i = tlb_index(s, page_down(va));
	struct slot slot;

	if (tlb[i].s != s || tlb[i].va != page_down(va) ||
	    (tlb[i].leaf & need) != need) {
		slot = table_walk(s->root, va);
		if (slot.level != 1 || !(*slot.at & PTE_P))
			return error;
		if ((*slot.at & need) != need)
			return error | FAULT_P;
		*slot.at |= PTE_A | (error & FAULT_W ? PTE_D : 0);
		tlb[i].s = s;
		tlb[i].va = page_down(va);
		tlb[i].leaf = *slot.at;
	}
	if (error & FAULT_I && tlb[i].leaf & PTE_NX)
		return error | FAULT_P;
	pa->v = pte_pa(tlb[i].leaf).v | page_offset(va);
	return 0;
}

static unsigned faults;

/* As a program does it: fault until it is granted. NULL: refused. */
static inline uint64_t *access_word(struct space *s, uintptr_t va,
				    uint64_t error)
{
	unsigned tries = 0;
	pa_t pa;
	uint64_t code;

	while ((code = translate(s, va, FAULT_U | error, &pa))) {
		faults++;
		assert_true(++tries < 5);
		if (fault_resolve(s, va, code))
			return NULL;
	}
	return direct(pa);
}

void reclaim_range(struct vma *v)
{
	(void)v;
}

/* Nobody else runs here, and nobody is killed. */
bool sched_breathe(void);
bool sched_breathe(void)
{
	return true;
}

#ifndef GUEST_SWAPS
/* Swap: the slots are memory of the host. */
#define SLOTS 4096u

static struct {
	uint32_t count;
	char page[PAGE_SIZE];
} slots[SLOTS];

static inline uint32_t slots_used(void)
{
	uint32_t used = 0;

	for (unsigned i = 0; i < SLOTS; i++)
		used += slots[i].count > 0;
	return used;
}

void swap_get(uint32_t slot)
{
	slots[slot].count++;
}

void swap_put(uint32_t slot)
{
	assert_true(slots[slot].count > 0);
	slots[slot].count--;
}

int swap_in(struct vma *v, uintptr_t va, uint64_t *slot)
{
	uint32_t number = pte_slot(*slot);
	struct frame *f = frame_alloc(FRAME_ANON);

	if (!f)
		return -ENOMEM;
	memcpy(direct(frame_pa(f)), slots[number].page, PAGE_SIZE);
	anon_map(v, va, slot, f, v->bits & ~PTE_W);
	v->space->swapped--;
	swap_put(number);
	return 0;
}

/* Evict @f, as replacement would. How many leaves it took. */
static inline unsigned evict(struct frame *f)
{
	uint32_t slot = 1;
	unsigned leaves;

	while (slots[slot].count)
		slot++;
	memcpy(slots[slot].page, direct(frame_pa(f)), PAGE_SIZE);
	f->slot = slot;
	frame_get(f);
	leaves = f->maps;
	rmap_unmap(f);
	assert_int_equal(f->maps, 0);
	assert_int_equal(f->count, 1);
	assert_int_equal(slots[slot].count, leaves);
	frame_put(f);
	return leaves;
}
#endif

static inline void spaces_begin(void)
{
	struct frame *gate;

	guest_ram();
	zero_frame = frame_pa(frame_alloc(FRAME_KERNEL));
	gate = frame_alloc(FRAME_KERNEL);
	gate_pa = frame_pa(gate);
}

/* How many pages could be promised now. */
static inline uint64_t promisable(void)
{
	uint64_t low = 0, high = GUEST_RAM / PAGE_SIZE;

	while (low < high) {
		uint64_t middle = (low + high + 1) / 2;

		if (frame_promise(middle)) {
			frame_unpromise(middle);
			low = middle;
		} else {
			high = middle - 1;
		}
	}
	return low;
}

static inline int64_t map_anon(struct space *s, uintptr_t at, size_t bytes,
			       unsigned prot, unsigned flags)
{
	struct vma want = {
		.start = at,
		.end = at + bytes,
		.prot = prot,
		.flags = flags | (at ? MAP_FIXED : 0),
		.kind = VMA_ANON,
	};

	return space_mmap(s, want);
}

/* How many leaves of @s, at and above @v's areas, map @f. */
struct census {
	struct frame *f;
	unsigned leaves, locked;
};
static struct census census;

static inline void count_leaf(struct vma *v, uint64_t *at)
{
	if (leaf_frame(*at) != census.f)
		return;
	census.leaves++;
	census.locked += !!(v->flags & VMA_LOCKED);
}

static uint64_t resident, swapped;

static inline void count_kind(struct vma *v, uint64_t *at)
{
	resident += leaf_frame(*at) != NULL;
	swapped += pte_is_slot(*at);
	if (*at & PTE_BORROWED)
		assert_false(*at & PTE_W);
	(void)v;
}

typedef void leaf_fn(struct vma *v, uint64_t *at);

static inline void each_leaf(struct space *s, leaf_fn *fn)
{
	struct vma *v = vma_above(s, 0);
	uint64_t *at;

	for (; v; v = vma_above(s, v->end)) {
		uintptr_t va = v->start;

		for (; (at = leaf_next(s, &va, v->end)); va += PAGE_SIZE)
			fn(v, at);
	}
}

/* The space's own counts are those of its tables. */
static inline void check_counts(struct space *s)
{
	resident = swapped = 0;
	each_leaf(s, count_kind);
	assert_int_equal(s->resident, resident);
	assert_int_equal(s->swapped, swapped);
}

#endif
