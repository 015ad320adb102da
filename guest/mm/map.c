/* SPDX-License-Identifier: MIT */
/* What a program asks of its memory: see proc/api.h and space.h. */
#include "guest/cpu/tlb.h"
#include "guest/lib/broken.h"
#include "guest/lib/errno.h"
#include "guest/mm/anon.h"
#include "guest/mm/areas.h"
#include "guest/mm/fault.h"
#include "guest/mm/leaf.h"

/* The lowest gap of @bytes above MMAP_BASE; at USER_END if there is none. */
static uintptr_t find_gap(struct space *s, size_t bytes)
{
	uintptr_t at = MMAP_BASE;
	struct vma *v;

	while ((v = vma_above(s->areas, at))) {
		if (vma_floor(v) > at && vma_floor(v) - at >= bytes)
			break;
		at = v->end;
	}
	return at;
}

/*
 * Give the pages of anonymous memory now. As Linux does: what is mapped for
 * good counts as accessed, or a hypervisor with shadow tables takes a fault of
 * its own for each such page.
 */
static int populate(struct vma *v, bool apart)
{
	for (uintptr_t va = v->start; va < v->end; va += PAGE_SIZE) {
		uint64_t *at = leaf_at(v->space, va);
		struct frame *f;

		if (!at)
			return -ENOMEM;
		f = apart ? frame_alloc_apart(FRAME_ANON)
			  : frame_alloc(FRAME_ANON);
		if (!f)
			return -ENOMEM;
		anon_map(v, va, at, f);
		*at |= PTE_A;
	}
	return 0;
}

/* Before the area may merge with another: it is filled to its ends. */
static int map_now(struct space *s, const struct map_request *want)
{
	unsigned now = want->flags & (MAP_POPULATE | MAP_APART);
	int error = space_map(s, want);

	if (error)
		return error;
	if (broken("sparse"))
		leaf_at(s, want->at);
	if (want->kind == VMA_ANON && (now || broken("demand")))
		error = populate(space_find(s, want->at), now & MAP_APART);
	else if (now)
		error = areas_fill(space_find(s, want->at));
	if (error)
		space_munmap(s, want->at, want->bytes);
	return error;
}

int64_t space_mmap(struct space *s, struct map_request *want)
{
	int error;

	if (!want->bytes || want->bytes > USER_END || page_offset(want->at))
		return -EINVAL;
	want->bytes = page_up(want->bytes);
	if (!(want->flags & MAP_FIXED))
		want->at = find_gap(s, want->bytes);
	if (want->at > USER_END || want->bytes > USER_END - want->at)
		return -ENOMEM;
	error = map_now(s, want);
	if (error)
		return error;
	areas_merge(s, want->at, want->at + want->bytes);
	return (int64_t)want->at;
}

int space_munmap(struct space *s, uintptr_t at, size_t bytes)
{
	uintptr_t end = at + page_up(bytes);
	struct vma *v;

	if (!areas_valid(at, bytes))
		return -EINVAL;
	if (!areas_cut(s, at, end))
		return -ENOMEM;
	while ((v = areas_next(s, at, end))) {
		space_drop(v, v->start, v->end);
		if (v->flags & VMA_PROMISED)
			frame_unpromise(vma_pages(v));
		vma_remove(&s->areas, v);
		vma_delete(v);
	}
	return 0;
}

/* A private area that becomes writable needs its frames promised. */
static bool promise_writable(struct space *s, uintptr_t at, uintptr_t end)
{
	struct vma *v;

	for (; (v = areas_next(s, at, end)); at = v->end) {
		if (v->flags & (VMA_PROMISED | MAP_SHARED))
			continue;
		if (!frame_promise(vma_pages(v)))
			return false;
		v->flags |= VMA_PROMISED;
	}
	return true;
}

static bool is_writable(struct space *s, uintptr_t at, uintptr_t end)
{
	struct vma *v;

	for (; (v = areas_next(s, at, end)); at = v->end)
		if (v->flags & VMA_READ_ONLY)
			return false;
	return true;
}

static void protect(struct vma *v, unsigned prot)
{
	v->prot = prot;
	v->bits = leaf_bits(broken("protect") ? prot | PROT_WRITE : prot);
	space_each(v, v->start, v->end, leaf_protect);
	space_flush(v->space, v->start, v->end);
}

int space_mprotect(struct space *s, uintptr_t at, size_t bytes, unsigned prot)
{
	uintptr_t end = at + page_up(bytes), from = at;
	struct vma *v;

	if (!areas_valid(at, bytes) ||
	    prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC))
		return -EINVAL;
	if (prot & PROT_WRITE && !is_writable(s, at, end))
		return -EACCES;
	if (!areas_whole(s, at, end) || !areas_cut(s, at, end) ||
	    (prot & PROT_WRITE && !promise_writable(s, at, end)))
		return -ENOMEM;
	for (; (v = areas_next(s, from, end)); from = v->end)
		protect(v, prot);
	areas_merge(s, at, end);
	return 0;
}

static int grow_heap(struct space *s, uintptr_t from, uintptr_t to)
{
	struct map_request more = {
		.at = from,
		.bytes = to - from,
		.prot = PROT_READ | PROT_WRITE,
		.kind = VMA_ANON,
	};
	int error = to > from ? space_map(s, &more) : 0;

	if (!error)
		areas_merge(s, from, to);
	return error;
}

int64_t space_brk(struct space *s, int64_t more)
{
	uintptr_t from = s->heap_end, to = from + (uintptr_t)more;
	int error;

	if (more < 0 ? to > from || to < s->heap : to < from || to > USER_END)
		return -ENOMEM;
	if (more >= 0)
		error = grow_heap(s, page_up(from), page_up(to));
	else if (page_up(to) < page_up(from))
		error = space_munmap(s, page_up(to),
				     page_up(from) - page_up(to));
	else
		error = 0;
	if (error)
		return -ENOMEM;
	s->heap_end = to;
	return (int64_t)from;
}
