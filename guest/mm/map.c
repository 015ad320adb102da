/* SPDX-License-Identifier: MIT */
/*
 * What a program asks of its memory (proc/api.h): map it, unmap it, change its
 * rights, keep it here, store it now. A range of pages is first cut out of the
 * areas, so that all that is done is done to whole areas; what is alike
 * afterwards is merged again.
 */
#include "guest/lib/base.h"
#include "guest/mm/leaf.h"
#include "guest/mm/mapping.h"
#include "guest/mm/reclaim.h"
#include "guest/proc/sched.h"

/* Pages given in one go: then others have their turn. */
#define BREATH 64u

/* What is done to an area. 0 or -errno. */
typedef int area_fn(struct vma *v, unsigned how);

static bool is_range(uintptr_t at, size_t bytes)
{
	return bytes && !page_offset(at) && bytes <= USER_END &&
	       at <= USER_END - page_up(bytes);
}

static bool is_whole(const struct space *s, uintptr_t at, uintptr_t end)
{
	while (at < end) {
		struct vma *v = vma_above(s, at);

		if (!v || v->start > at)
			return false;
		at = v->end;
	}
	return true;
}

static void merge(struct space *s, uintptr_t at, uintptr_t end)
{
	struct vma *v;

	vma_merge(s, at);
	while ((v = vma_above(s, at)) && v->end <= end) {
		at = v->end;
		vma_merge(s, at);
	}
}

static int each(struct space *s, uintptr_t at, uintptr_t end, area_fn *fn,
		unsigned how)
{
	uintptr_t next = at;
	struct vma *v;
	int error = 0;

	if (!vma_split(s, at) || !vma_split(s, end))
		return -ENOMEM;
	while (!error && (v = vma_above(s, next)) && v->start < end) {
		next = v->end;
		error = fn(v, how);
	}
	merge(s, at, end);
	return error;
}

/* The same for a range without holes. */
static int change(struct space *s, uintptr_t at, size_t bytes, area_fn *fn,
		  unsigned how)
{
	if (!is_range(at, bytes))
		return -EINVAL;
	if (!is_whole(s, at, at + bytes))
		return -ENOMEM;
	return each(s, at, page_up(at + bytes), fn, how);
}

static int unmap(struct vma *v, unsigned how)
{
	(void)how;
	space_unmap(v);
	return 0;
}

int space_munmap(struct space *s, uintptr_t at, size_t bytes)
{
	if (!is_range(at, bytes))
		return -EINVAL;
	return each(s, at, page_up(at + bytes), unmap, 0);
}

/*
 * Each page of @v is there; with FAULT_W its own, too, if it may be written: no
 * access will fault. May sleep. 0 or -errno.
 */
static int fill(struct vma *v, uint64_t error)
{
	uintptr_t va = v->prot ? v->start : v->end;
	int failed = 0;

	if (!(v->prot & PROT_WRITE))
		error &= ~FAULT_W;
	for (; !failed && va < v->end; va += PAGE_SIZE) {
		failed = fault_resolve(v->space, va, FAULT_U | error);
		if (va / PAGE_SIZE % BREATH == 0 && !sched_breathe())
			failed = -EINTR;
	}
	return failed == -EFAULT ? -ENOMEM : failed;
}

/* A private area that becomes writable needs its frames promised. */
static int protect(struct vma *v, unsigned prot)
{
	uintptr_t va = v->start;
	uint64_t *at;

	if (prot & PROT_WRITE && v->flags & VMA_READ_ONLY)
		return -EACCES;
	if (prot & PROT_WRITE && !(v->flags & (VMA_PROMISED | MAP_SHARED))) {
		if (!frame_promise(vma_pages(v)))
			return -ENOMEM;
		v->flags |= VMA_PROMISED;
	}
	v->prot = prot;
	v->bits = leaf_bits(broken("protect") ? prot | PROT_WRITE : prot);
	for (; (at = leaf_next(v->space, &va, v->end)); va += PAGE_SIZE)
		leaf_protect(v, at);
	space_flush(v);
	return 0;
}

int space_mprotect(struct space *s, uintptr_t at, size_t bytes, unsigned prot)
{
	if (prot & ~PROT_ALL)
		return -EINVAL;
	return change(s, at, bytes, protect, prot);
}

/* What is there is locked now, or not; what comes is by who maps it. */
static int lock(struct vma *v, bool locked)
{
	uintptr_t va = v->start;
	uint64_t *at;

	v->flags = locked ? v->flags | VMA_LOCKED : v->flags & ~VMA_LOCKED;
	for (; (at = leaf_next(v->space, &va, v->end)); va += PAGE_SIZE)
		if (locked)
			leaf_lock(at);
		else if (leaf_frame(*at))
			leaf_unlocked(leaf_frame(*at));
	return locked ? fill(v, FAULT_W) : 0;
}

/* The processor will say it anew. */
static int cool(struct vma *v)
{
	uintptr_t va = v->start;
	uint64_t *at;

	for (; (at = leaf_next(v->space, &va, v->end)); va += PAGE_SIZE)
		if (*at & PTE_P)
			*at &= ~(PTE_A | PTE_D);
	space_flush(v);
	return 0;
}

static int advise(struct vma *v, unsigned advice)
{
	switch (advice) {
	case MADVISE_DONTNEED:
		if (v->flags & VMA_LOCKED)
			return -EINVAL;
		space_drop(v);
		return 0;
	case MADVISE_PAGEOUT:
		reclaim_range(v);
		return 0;
	case MADVISE_COLD:
		return cool(v);
	case MADVISE_LOCK:
		return lock(v, true);
	case MADVISE_UNLOCK:
		return lock(v, false);
	case MADVISE_SYNC: /* shared memory has no place but memory */
		if (v->kind != VMA_FILE)
			return 0;
		return mapping_sync(v->mapping, vma_index(v, v->start),
				    vma_index(v, v->end));
	default:
		return -EINVAL;
	}
}

int space_madvise(struct space *s, uintptr_t at, size_t bytes, unsigned advice)
{
	return change(s, at, bytes, advise, advice);
}

/* The lowest gap of @bytes above MMAP_BASE; at USER_END if there is none. */
static uintptr_t find_gap(struct space *s, size_t bytes)
{
	uintptr_t at = MMAP_BASE;
	struct vma *v;

	while ((v = vma_above(s, at))) {
		if (vma_floor(v) > at && vma_floor(v) - at >= bytes)
			break;
		at = v->end;
	}
	return at;
}

/* Populated before it may merge with another: it is filled to its ends. */
int64_t space_mmap(struct space *s, struct vma want)
{
	size_t bytes = page_up(want.end - want.start);
	bool now = want.flags & MAP_POPULATE || broken("demand");
	int error;

	if (!bytes || bytes > USER_END || page_offset(want.start))
		return -EINVAL;
	if (!(want.flags & MAP_FIXED))
		want.start = find_gap(s, bytes);
	if (want.start > USER_END - bytes)
		return -ENOMEM;
	want.end = want.start + bytes;
	if (want.mapping)
		want.shift -= want.start >> PAGE_SHIFT;
	error = space_map(s, want);
	if (error)
		return error;
	if (broken("sparse"))
		leaf_at(s, want.start);
	error = now ? fill(space_search(s, want.start), FAULT_W) : 0;
	if (error)
		space_unmap(space_search(s, want.start));
	else
		merge(s, want.start, want.end);
	return error ? error : (int64_t)want.start;
}

int64_t space_brk(struct space *s, int64_t more)
{
	uintptr_t from = s->heap_end, to = from + (uintptr_t)more;
	struct vma heap = {
		.start = page_up(from),
		.end = page_up(to),
		.prot = PROT_READ | PROT_WRITE,
		.kind = VMA_ANON,
	};
	int error = 0;

	if (to < s->heap || to > USER_END)
		return -ENOMEM;
	if (heap.end > heap.start)
		error = space_map(s, heap);
	else if (heap.end < heap.start)
		error = each(s, heap.end, heap.start, unmap, 0);
	if (error)
		return -ENOMEM;
	merge(s, heap.start, heap.end);
	s->heap_end = to;
	return (int64_t)from;
}
