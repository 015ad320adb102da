/* SPDX-License-Identifier: MIT */
/*
 * Areas: what a process was promised, [start, end) with one set of rights and
 * one kind of content. A space finds the area of an address in a search tree;
 * what is special about a kind of area is in its table of operations.
 *
 * A stack's area moves its start down when it is touched below, never under
 * lowest, and keeps one page under that free as a guard.
 */
#pragma once

#include "guest/mm/addr.h"
#include "guest/proc/api.h"

struct mapping;
struct space;
struct vma;

/*
 * How a kind of area gives its pages: enum lab_fault_kind, or -errno. The
 * kernel lock is held; both may sleep.
 */
struct vma_ops {
	/* fill the empty entry *at, that of page va, for an access with this
	 * error code, which the area allows */
	int (*nopage)(struct vma *v, uintptr_t va, uint64_t *at,
		      uint64_t error);
	/* *at is present and not writable, the area is */
	int (*wppage)(struct vma *v, uintptr_t va, uint64_t *at);
};

/* Areas that show a mapping: filemap.c. */
extern const struct vma_ops private_ops, shared_ops;

/* Beside MAP_SHARED in vma.flags. */
enum {
	VMA_LOCKED = 1 << 16, /* mlock */
	VMA_PROMISED = 1 << 17, /* a frame is promised for each page */
	VMA_READ_ONLY = 1 << 18 /* shared, and the file may not be written */
};

#define FILE_ALL UINT64_MAX

struct vma {
	/* The fault path reads these. */
	uintptr_t start, end;
	uintptr_t lowest; /* of a stack; else = start */
	unsigned prot, flags;
	uint64_t bits; /* a present leaf of it that is all its own */
	struct space *space;
	const struct vma_ops *ops;
	enum vma_kind kind;

	struct mapping *mapping; /* whose pages it shows, or NULL */
	uint64_t shift; /* from numbers of its pages to those of the mapping */
	uint64_t file_end; /* zeros from this byte on, of its last page */

	struct vma *left, *right; /* tree: lower and higher areas */
	uint32_t rank; /* no area below it has a higher one */
	struct vma *mapping_next; /* of those that show it */
};

static inline uint64_t vma_pages(const struct vma *v)
{
	return (v->end - v->lowest) >> PAGE_SHIFT;
}

/* The lowest address that nobody else may have. */
static inline uintptr_t vma_floor(const struct vma *v)
{
	return v->kind == VMA_STACK ? v->lowest - PAGE_SIZE : v->lowest;
}

/* The page of its mapping that @va shows. */
static inline uint64_t vma_index(const struct vma *v, uintptr_t va)
{
	return (va >> PAGE_SHIFT) + v->shift;
}

/*
 * A copy of *@like, which overlaps no other area, in the tree of its space; it
 * holds what it shows. NULL: no memory, or too many areas.
 */
struct vma *vma_add(const struct vma *like);
void vma_remove(struct vma *v); /* may sleep */

/* The lowest area of @s that ends above @at, or NULL. */
struct vma *vma_above(const struct space *s, uintptr_t at);

/* If an area lies on both sides of @at, make two. False: no memory. */
bool vma_split(struct space *s, uintptr_t at);

/* Make one area of the two that meet at @at, if they differ in nothing. */
void vma_merge(struct space *s, uintptr_t at);
