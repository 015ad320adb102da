/* SPDX-License-Identifier: MIT */
#include "guest/mm/space.h"

#include "guest/lib/errno.h"
#include "guest/mm/fault.h"
#include "guest/mm/frame.h"
#include "guest/mm/kmap.h"
#include "guest/mm/table.h"
#include "guest/proc/api.h"
#include "guest/proc/gate.h"

#define VMAS 64u

static struct vma pool[VMAS];
static struct vma *unused;
static unsigned pool_next;

static struct vma *vma_alloc(void)
{
	struct vma *v = unused;

	if (v)
		unused = v->next;
	else if (pool_next < VMAS)
		v = &pool[pool_next++];
	return v;
}

static void vma_free(struct vma *v)
{
	v->next = unused;
	unused = v;
}

static uint64_t pages(uintptr_t from, uintptr_t to)
{
	return (to - from) >> PAGE_SHIFT;
}

/* What a leaf says for @prot. No right at all: not present, frame kept. */
static uint64_t leaf_bits(unsigned prot, bool borrowed)
{
	uint64_t bits = PTE_U | (prot ? PTE_P : PTE_KEPT);

	if (prot & PROT_WRITE)
		bits |= PTE_W;
	if (!(prot & PROT_EXEC))
		bits |= pte_nx;
	if (borrowed)
		bits |= PTE_BORROWED;
	return bits;
}

static struct space spaces[16];

static int map_gate(struct space *s)
{
	struct vma gate = {
		.start = GATE_PAGE,
		.lowest = GATE_PAGE,
		.end = GATE_PAGE + PAGE_SIZE,
		.prot = PROT_READ | PROT_EXEC,
		.kind = LAB_FAULT_DEMAND_FILE,
		.borrowed = true,
		.file = gate_page_pa(),
		.file_bytes = PAGE_SIZE,
	};

	return space_add(s, &gate);
}

struct space *space_new(void)
{
	static uint64_t ids;
	struct space *s = &spaces[++ids];

	*s = (struct space){ .id = ids };
	if (!kmap_new_root(&s->root) || map_gate(s))
		return NULL;
	return s;
}

void space_free(struct space *s)
{
	space_munmap(s, USER_START, USER_END - USER_START);
}

struct space *space_fork(struct space *parent)
{
	(void)parent;
	return NULL;
}

struct vma *space_search(struct space *s, uintptr_t va)
{
	struct vma *v = s->first;

	while (v && va >= v->end)
		v = v->next;
	if (!v || va < v->lowest)
		return NULL;
	return s->recent = v;
}

/* Where in the list an area beginning at @at belongs. */
static struct vma **place(struct space *s, uintptr_t at)
{
	struct vma **link = &s->first;

	while (*link && (*link)->end <= at)
		link = &(*link)->next;
	return link;
}

int space_add(struct space *s, const struct vma *want)
{
	struct vma **link = place(s, want->lowest);
	struct vma *v;

	if (want->lowest < USER_START || want->end > USER_END ||
	    want->lowest >= want->end)
		return -EINVAL;
	if (*link && (*link)->lowest < want->end)
		return -EEXIST;
	if (!want->borrowed && !frame_promise(pages(want->lowest, want->end)))
		return -ENOMEM;
	v = vma_alloc();
	if (!v) {
		frame_unpromise(pages(want->lowest, want->end));
		return -ENOMEM;
	}
	*v = *want;
	v->bits = leaf_bits(v->prot, v->borrowed);
	v->next = *link;
	*link = v;
	return 0;
}

/* The lowest gap of @bytes above MMAP_BASE; USER_END if there is none. */
static uintptr_t find_gap(struct space *s, size_t bytes)
{
	uintptr_t at = MMAP_BASE;

	for (struct vma *v = *place(s, at); v; v = v->next) {
		if (v->lowest > at && v->lowest - at >= bytes)
			break;
		at = v->end;
	}
	return at;
}

/* As Linux does: what is mapped for good counts as accessed, or a hypervisor
 * with shadow tables takes a fault of its own for each such page. */
static int populate(struct space *s, uintptr_t at, uintptr_t end, bool apart)
{
	struct vma *v = space_find(s, at);

	for (; at < end; at += PAGE_SIZE) {
		uint64_t *slot = table_slot(s->root, at, 1);
		struct frame *f;

		if (!slot)
			return -ENOMEM;
		f = apart ? frame_alloc_apart(FRAME_USER)
			  : frame_alloc(FRAME_USER);
		if (!f)
			return -ENOMEM;
		table_set(slot, at, frame_pa(f).v | v->bits | PTE_A);
	}
	return 0;
}

int64_t space_mmap(struct space *s, uintptr_t at, size_t bytes, unsigned prot,
		   unsigned flags)
{
	struct vma want = { .prot = prot, .kind = LAB_FAULT_DEMAND_ZERO };
	int error;

	if (!bytes || bytes > USER_END || page_offset(at))
		return -EINVAL;
	bytes = page_up(bytes);
	if (!(flags & MAP_FIXED))
		at = find_gap(s, bytes);
	if (at > USER_END || bytes > USER_END - at)
		return -ENOMEM;
	want.start = want.lowest = at;
	want.end = at + bytes;
	error = space_add(s, &want);
	if (!error && flags & (MAP_POPULATE | MAP_APART)) {
		error = populate(s, at, want.end, flags & MAP_APART);
		if (error)
			space_munmap(s, at, bytes);
	}
	return error ? error : (int64_t)at;
}

/* Cut the area at @at, strictly inside it, into two. */
static int split(struct vma *v, uintptr_t at)
{
	struct vma *upper = vma_alloc();
	size_t cut = at - v->start;

	if (!upper)
		return -ENOMEM;
	*upper = *v;
	upper->start = upper->lowest = at;
	upper->file.v += cut;
	upper->file_bytes = v->file_bytes > cut ? v->file_bytes - cut : 0;
	v->end = at;
	v->next = upper;
	return 0;
}

/* Make [at, end) begin and end at edges of areas; *link = the first inside. */
static int cut_out(struct space *s, uintptr_t at, uintptr_t end,
		   struct vma ***link)
{
	struct vma **first = place(s, at);
	struct vma *last;

	if (*first && (*first)->start < at) {
		if (split(*first, at))
			return -ENOMEM;
		first = &(*first)->next;
	}
	last = *place(s, end);
	if (last && last->start < end && split(last, end))
		return -ENOMEM;
	s->recent = NULL;
	*link = first;
	return 0;
}

/* Call for every leaf that holds a frame in [at, end). */
typedef void leaf_fn(uint64_t *slot, uintptr_t va, const struct vma *v);

static void each_leaf(struct space *s, const struct vma *v, leaf_fn *fn)
{
	uintptr_t va = v->start;

	while (va < v->end) {
		struct slot slot = table_walk(s->root, va);
		uintptr_t step = level_bytes(slot.level);

		if (slot.level == 1 && *slot.at)
			fn(slot.at, va, v);
		va = (va & ~(step - 1)) + step;
	}
}

static void drop_leaf(uint64_t *slot, uintptr_t va, const struct vma *v)
{
	uint64_t old = *slot;

	(void)v;
	table_set(slot, va, 0);
	if (!(old & PTE_BORROWED))
		frame_put(frame_at(pte_pa(old)));
}

static void protect_leaf(uint64_t *slot, uintptr_t va, const struct vma *v)
{
	uint64_t kept = *slot & (PTE_FRAME | PTE_A | PTE_D);

	table_set(slot, va, kept | v->bits);
}

static bool is_user_range(uintptr_t at, size_t bytes)
{
	return bytes && !page_offset(at) && bytes <= USER_END &&
	       at <= USER_END - page_up(bytes);
}

/* Tables stay: the next mapping nearby will want them. */
int space_munmap(struct space *s, uintptr_t at, size_t bytes)
{
	uintptr_t end = at + page_up(bytes);
	struct vma **link, *v;

	if (!is_user_range(at, bytes))
		return -EINVAL;
	if (cut_out(s, at, end, &link))
		return -ENOMEM;
	while ((v = *link) && v->start < end) {
		each_leaf(s, v, drop_leaf);
		if (!v->borrowed)
			frame_unpromise(pages(v->lowest, v->end));
		*link = v->next;
		vma_free(v);
	}
	return 0;
}

/* All must be mapped; pages of the image cannot be made writable. */
static int may_protect(struct vma *v, uintptr_t at, uintptr_t end,
		       unsigned prot)
{
	for (; at < end; v = v->next) {
		if (!v || v->start > at)
			return -ENOMEM;
		if (v->borrowed && prot & PROT_WRITE)
			return -EINVAL;
		at = v->end;
	}
	return 0;
}

int space_mprotect(struct space *s, uintptr_t at, size_t bytes, unsigned prot)
{
	uintptr_t end = at + page_up(bytes);
	struct vma **link;
	int error;

	if (!is_user_range(at, bytes))
		return -EINVAL;
	if (cut_out(s, at, end, &link))
		return -ENOMEM;
	error = may_protect(*link, at, end, prot);
	if (error)
		return error;
	for (struct vma *v = *link; v && v->start < end; v = v->next) {
		v->prot = prot;
		v->bits = leaf_bits(prot, v->borrowed);
		each_leaf(s, v, protect_leaf);
	}
	return 0;
}
