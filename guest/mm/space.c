/* SPDX-License-Identifier: MIT */
/* Address spaces: birth, fork and end. */
#include "guest/mm/space.h"

#include "guest/cpu/tlb.h"
#include "guest/lib/errno.h"
#include "guest/mm/anon.h"
#include "guest/mm/slab.h"
#include "guest/proc/syscall.h"

/* Promised to a space itself, for its tables and its process. */
#define OWN_FRAMES 12u

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
	s->next = spaces;
	return spaces = s;
unpromise:
	frame_unpromise(OWN_FRAMES);
free_space:
	kfree(s);
	return NULL;
}

/* The gate page is the kernel's own: lent, never counted. */
struct space *space_new(void)
{
	struct vma gate = {
		.start = GATE_PAGE,
		.end = GATE_PAGE + PAGE_SIZE,
		.prot = PROT_READ | PROT_EXEC,
		.kind = VMA_GATE,
	};
	struct space *s = space_alloc();
	uint64_t *at;

	if (!s)
		return NULL;
	if (!space_map(s, gate) && (at = leaf_at(s, GATE_PAGE))) {
		*at = gate_page_pa().v | PTE_BORROWED | leaf_bits(gate.prot);
		return s;
	}
	space_free(s);
	return NULL;
}

struct vma *space_search(struct space *s, uintptr_t va)
{
	struct vma *v = vma_above(s, va);

	if (!v || va < v->lowest)
		return NULL;
	return s->recent = v;
}

static const struct vma_ops *ops_of(const struct vma *v)
{
	static const struct vma_ops *const private[] = {
		[VMA_ANON] = &anon_ops,
		[VMA_FILE] = &private_ops,
		[VMA_STACK] = &stack_ops,
		[VMA_GATE] = &anon_ops,
	};

	return v->flags & MAP_SHARED ? &shared_ops : private[v->kind];
}

/* Private memory that may be written needs a frame a page in the end. */
static bool is_promise(const struct vma *v)
{
	return v->flags & VMA_PROMISED || v->kind == VMA_ANON ||
	       v->kind == VMA_STACK ||
	       (!(v->flags & MAP_SHARED) && v->prot & PROT_WRITE);
}

static struct vma *add(struct vma like)
{
	struct vma *v;

	if (is_promise(&like)) {
		like.flags |= VMA_PROMISED;
		if (!frame_promise(vma_pages(&like)))
			return NULL;
	}
	v = vma_add(&like);
	if (!v && like.flags & VMA_PROMISED)
		frame_unpromise(vma_pages(&like));
	return v;
}

int space_map(struct space *s, struct vma want)
{
	struct vma *next;

	want.space = s;
	want.lowest = want.start;
	want.flags &= MAP_SHARED | VMA_READ_ONLY;
	want.bits = leaf_bits(want.prot);
	want.ops = ops_of(&want);
	if (want.start >= want.end || want.end > USER_END ||
	    vma_floor(&want) < USER_START)
		return -EINVAL;
	next = vma_above(s, vma_floor(&want));
	if (next && vma_floor(next) < want.end)
		return -EEXIST;
	if (want.kind == VMA_STACK)
		want.start = want.end - PAGE_SIZE;
	return add(want) ? 0 : -ENOMEM;
}

void space_flush(const struct vma *v)
{
	if (vma_pages(v) == 1)
		tlb_flush_page(v->space, v->start);
	else
		tlb_flush_space(v->space);
}

void space_drop(struct vma *v)
{
	uintptr_t va = v->start;
	uint64_t *at;

	for (; (at = leaf_next(v->space, &va, v->end)); va += PAGE_SIZE)
		leaf_drop(v, at);
	space_flush(v);
}

void space_unmap(struct vma *v)
{
	space_drop(v);
	if (v->flags & VMA_PROMISED)
		frame_unpromise(vma_pages(v));
	vma_remove(v);
}

/*
 * Making the child's table may sleep, and the parent's leaf be another after
 * it: it is read then. The copy is listed with its mapping before it has
 * entries: rmap wants that.
 */
static bool copy_area(struct space *to, const struct vma *from)
{
	struct vma like = *from, *v;
	uintptr_t va = from->start;
	uint64_t *at, *into;

	like.space = to;
	like.flags &= ~VMA_LOCKED;
	v = add(like);
	if (!v)
		return false;
	for (; (at = leaf_next(from->space, &va, from->end)); va += PAGE_SIZE) {
		into = leaf_at(to, va);
		if (!into)
			return false;
		leaf_share(v, at, into);
	}
	return true;
}

struct space *space_fork(struct space *parent)
{
	struct space *child = space_alloc();
	struct vma *v = vma_above(parent, 0);

	if (!child)
		return NULL;
	child->heap = parent->heap;
	child->heap_end = parent->heap_end;
	while (v && copy_area(child, v))
		v = vma_above(parent, v->end);
	if (v) {
		space_free(child);
		child = NULL;
	}
	tlb_flush_space(parent); /* its leaves lost the right to write */
	return child;
}

void space_free(struct space *s)
{
	struct space **at = &spaces;

	while (s->areas)
		space_unmap(s->areas);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	table_free(s->root);
	frame_unpromise(OWN_FRAMES);
	kfree(s);
}

uint64_t space_strays(void)
{
	uint64_t all = counts.frames_anon + counts.frames_tables + leaf_others;

	all -= frame_at(kernel_root)->index;
	for (const struct space *s = spaces; s; s = s->next)
		all -= s->resident + 1 + frame_at(s->root)->index;
	return all;
}
