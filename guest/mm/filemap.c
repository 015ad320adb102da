/* SPDX-License-Identifier: MIT */
/*
 * Areas that show a mapping (mm/mapping.h): a file, or shared memory. What is
 * read is the cache's own frame, mapped. A write to a private area gets a copy
 * of the page, as after fork; a write to a shared one makes the page dirty:
 * the right to write comes with that fault, and goes when the page is stored.
 */
#include "guest/lib/base.h"
#include "guest/mm/anon.h"

/* Memory that is shared has no first touch of a file. */
static int kind_of(const struct vma *v)
{
	return v->kind == VMA_SHARED ? LAB_FAULT_DEMAND_ZERO
				     : LAB_FAULT_DEMAND_FILE;
}

/* The page that @va shows. A file may have become shorter than its area. */
static int get(struct vma *v, uintptr_t va, struct frame **f)
{
	if (vma_index(v, va) >= v->mapping->end)
		return -EFAULT;
	return mapping_get(v->mapping, vma_index(v, va), f);
}

/*
 * The cache's frame itself; the reference that we got is the leaf's. If it has
 * left the cache again the access is repeated.
 */
static int map_cached(struct vma *v, uintptr_t va, uint64_t *at, bool write)
{
	struct frame *f;
	int error = get(v, va, &f);

	if (error)
		return error;
	if (write)
		error = mapping_write(v->mapping, f);
	if (error) {
		frame_put(f);
		return error == -EAGAIN ? kind_of(v) : error;
	}
	leaf_others++;
	leaf_map(v, at, f, write ? v->bits : v->bits & ~PTE_W);
	return kind_of(v);
}

/* How many bytes of the page at @va come from the file: one at least. */
static size_t part_of_file(const struct vma *v, uintptr_t va)
{
	uint64_t left = v->file_end - (vma_index(v, va) << PAGE_SHIFT);

	return left < PAGE_SIZE ? left : PAGE_SIZE;
}

/* A copy, and zeros where the area shows no more of the file. */
static int map_copy(struct vma *v, uintptr_t va, uint64_t *at)
{
	struct frame *from, *f;
	int error = get(v, va, &from);

	if (error)
		return error;
	f = frame_alloc(FRAME_ANON);
	if (f) {
		memcpy(frame_bytes(f), frame_bytes(from), part_of_file(v, va));
		anon_map(v, va, at, f, v->bits | PTE_D);
	}
	frame_put(from);
	return f ? LAB_FAULT_DEMAND_FILE : -ENOMEM;
}

static int private_nopage(struct vma *v, uintptr_t va, uint64_t *at,
			  uint64_t error)
{
	if (error & FAULT_W || part_of_file(v, va) < PAGE_SIZE ||
	    broken("exec"))
		return map_copy(v, va, at);
	return map_cached(v, va, at, false);
}

/* Shared memory is written sooner or later: it is dirty at once. */
static int shared_nopage(struct vma *v, uintptr_t va, uint64_t *at,
			 uint64_t error)
{
	bool write = error & FAULT_W || broken("rights") ||
		     (v->kind == VMA_SHARED && v->prot & PROT_WRITE);

	return map_cached(v, va, at, write);
}

/* The page stays in memory meanwhile; it may leave the table. */
static int shared_wppage(struct vma *v, uintptr_t va, uint64_t *at)
{
	struct frame *f = leaf_frame(*at);
	int error;

	(void)va;
	frame_get(f);
	error = mapping_write(v->mapping, f);
	if (!error && leaf_frame(*at) == f)
		*at |= PTE_W;
	frame_put(f);
	return error && error != -EAGAIN ? error : kind_of(v);
}

const struct vma_ops private_ops = {
	.nopage = private_nopage,
	.wppage = anon_wppage,
};

const struct vma_ops shared_ops = {
	.nopage = shared_nopage,
	.wppage = shared_wppage,
};
