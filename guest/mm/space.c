/* SPDX-License-Identifier: MIT */
#include "guest/mm/space.h"

#include "guest/abi.h"
#include "guest/cpu/tlb.h"
#include "guest/lib/errno.h"
#include "guest/mm/anon.h"
#include "guest/mm/filemap.h"
#include "guest/mm/kmap.h"
#include "guest/mm/leaf.h"
#include "guest/mm/slab.h"
#include "guest/proc/gate.h"

/* Promised to a space itself, for its tables and its process. */
#define OWN_FRAMES 12u

/* More pages than this are flushed all at once. */
#define FLUSH_PAGES 16u

struct space *spaces;

static struct space *space_alloc(void)
{
	static uint64_t last_id;
	struct space *s = kzalloc(sizeof(*s));

	if (!s)
		return NULL;
	if (!frame_promise(OWN_FRAMES))
		goto free_space;
	if (!kmap_new_root(&s->root))
		goto unpromise;
	s->id = ++last_id;
	s->limit = UINT64_MAX;
	s->link = &spaces;
	s->next = spaces;
	if (spaces)
		spaces->link = &s->next;
	return spaces = s;
unpromise:
	frame_unpromise(OWN_FRAMES);
free_space:
	kfree(s);
	return NULL;
}

struct space *space_new(void)
{
	struct map_request gate = {
		.at = GATE_PAGE,
		.bytes = PAGE_SIZE,
		.prot = PROT_READ | PROT_EXEC,
		.kind = VMA_GATE,
	};
	struct space *s = space_alloc();

	if (s && space_map(s, &gate)) {
		space_free(s);
		s = NULL;
	}
	return s;
}

struct vma *space_search(struct space *s, uintptr_t va)
{
	struct vma *v = vma_above(s->areas, va);

	if (!v || va < v->lowest)
		return NULL;
	return s->recent = v;
}

/* The gate page is the kernel's own: lent, never counted. */
static int lend_gate(struct vma *v, uintptr_t va, uint64_t *at, uint64_t error)
{
	(void)va;
	(void)error;
	*at = gate_page_pa().v | PTE_BORROWED | (v->bits & ~PTE_W);
	return LAB_FAULT_DEMAND_FILE;
}

static const struct vma_ops gate_ops = {
	.nopage = lend_gate,
	.wppage = anon_wppage,
};

static const struct vma_ops *ops_of(const struct map_request *want)
{
	if (want->mapping)
		return want->flags & MAP_SHARED ? &shared_ops : &private_ops;
	if (want->kind == VMA_GATE)
		return &gate_ops;
	return want->kind == VMA_STACK ? &stack_ops : &anon_ops;
}

/* Private memory that may be written needs a frame a page in the end. */
static bool is_promise(const struct vma *v)
{
	return v->flags & VMA_PROMISED || v->kind == VMA_ANON ||
	       v->kind == VMA_STACK ||
	       (!(v->flags & MAP_SHARED) && v->prot & PROT_WRITE);
}

static int add(struct space *s, const struct vma *like)
{
	struct vma *v = vma_new(like);

	if (!v)
		return -ENOMEM;
	if (is_promise(v)) {
		v->flags |= VMA_PROMISED;
		if (!frame_promise(vma_pages(v))) {
			vma_delete(v);
			return -ENOMEM;
		}
	}
	vma_insert(&s->areas, v);
	return 0;
}

int space_map(struct space *s, const struct map_request *want)
{
	struct vma v = {
		.start = want->at,
		.end = want->at + want->bytes,
		.lowest = want->at,
		.prot = want->prot,
		.flags = want->flags & (MAP_SHARED | VMA_READ_ONLY),
		.bits = leaf_bits(want->prot),
		.space = s,
		.ops = ops_of(want),
		.kind = want->kind,
		.mapping = want->mapping,
		.offset = want->offset,
		.file_bytes = want->mapping ? want->file_bytes : FILE_ALL,
	};
	struct vma *next;

	if (want->bytes > USER_END || want->at > USER_END - want->bytes ||
	    !want->bytes || vma_floor(&v) < USER_START)
		return -EINVAL;
	if (want->kind == VMA_STACK)
		v.start = v.end - PAGE_SIZE;
	next = vma_above(s->areas, vma_floor(&v));
	if (next && vma_floor(next) < v.end)
		return -EEXIST;
	return add(s, &v);
}

void space_each(struct vma *v, uintptr_t start, uintptr_t end, leaf_fn *fn)
{
	while (start < end) {
		struct slot slot = table_walk(v->space->root, start);
		uintptr_t step = level_bytes(slot.level);
		uintptr_t next = (start & ~(step - 1)) + step;
		uint64_t *at = slot.at;

		if (slot.level == 1) {
			next = (start & ~(LARGE_SIZE - 1)) + LARGE_SIZE;
			next = next < end ? next : end;
			for (; start < next; start += PAGE_SIZE, at++)
				if (*at)
					fn(v, at);
		}
		start = next;
	}
}

void space_flush(struct space *s, uintptr_t start, uintptr_t end)
{
	if ((end - start) >> PAGE_SHIFT > FLUSH_PAGES) {
		tlb_flush_space(s);
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		tlb_flush_page(s, start);
}

void space_drop(struct vma *v, uintptr_t start, uintptr_t end)
{
	space_each(v, start, end, leaf_drop);
	space_flush(v->space, start, end);
}

/*
 * The child's table is made before the parent's leaves are read: making it
 * may sleep, and what was read would be old. False: no memory.
 */
static bool copy_table(const struct vma *from, struct vma *to, uintptr_t va,
		       uintptr_t end)
{
	uint64_t *into = leaf_at(to->space, va);
	struct slot slot = table_walk(from->space->root, va);

	if (!into)
		return false;
	for (; va < end; va += PAGE_SIZE, slot.at++, into++)
		if (*slot.at)
			leaf_share(to, slot.at, into);
	return true;
}

static bool copy_leaves(const struct vma *from, struct vma *to)
{
	uintptr_t va = from->start, next;

	for (; va < from->end; va = next) {
		struct slot slot = table_walk(from->space->root, va);
		uintptr_t step = level_bytes(slot.level > 1 ? slot.level : 2);

		next = (va & ~(step - 1)) + step;
		next = next < from->end ? next : from->end;
		if (slot.level == 1 && !copy_table(from, to, va, next))
			return false;
	}
	return true;
}

/* The copy is listed with its mapping before it has entries: rmap wants that. */
static bool copy_area(struct space *to, const struct vma *from)
{
	struct vma like = *from;

	like.space = to;
	like.flags &= ~VMA_LOCKED;
	if (add(to, &like))
		return false;
	return copy_leaves(from, vma_above(to->areas, like.start));
}

static bool copy_all(struct space *to, struct space *from)
{
	struct vma *v = vma_above(from->areas, 0);

	for (; v; v = vma_above(from->areas, v->end))
		if (!copy_area(to, v))
			return false;
	return true;
}

struct space *space_fork(struct space *parent)
{
	struct space *child = space_alloc();

	if (!child)
		return NULL;
	child->heap = parent->heap;
	child->heap_end = parent->heap_end;
	child->limit = parent->limit;
	if (!copy_all(child, parent)) {
		space_free(child);
		child = NULL;
	}
	tlb_flush_space(parent); /* its leaves lost the right to write */
	return child;
}

void space_free(struct space *s)
{
	struct vma *v;

	while ((v = s->areas)) {
		space_each(v, v->start, v->end, leaf_drop);
		if (v->flags & VMA_PROMISED)
			frame_unpromise(vma_pages(v));
		vma_remove(&s->areas, v);
		vma_delete(v);
	}
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	table_free(s->root);
	frame_unpromise(OWN_FRAMES);
	kfree(s);
}
