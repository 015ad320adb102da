/* SPDX-License-Identifier: MIT */
/*
 * A process's memory: a root table and a list of areas, sorted by address.
 * An area promises pages; fault.c gives each at its first touch.
 */
#ifndef GUEST_MM_SPACE_H
#define GUEST_MM_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi.h"
#include "guest/mm/addr.h"

/* One area, [start, end). */
struct vma {
	struct vma *next;
	uintptr_t start, end;
	uintptr_t lowest; /* a stack's start moves down to here; else = start */
	uint64_t bits; /* what a present leaf of it has beside the frame */
	unsigned prot; /* PROT_* of proc/api.h */
	enum lab_fault_kind kind; /* DEMAND_ZERO, DEMAND_FILE or STACK */
	bool borrowed; /* a file's pages are mapped, not copied */
	pa_t file; /* the file's byte that start maps */
	size_t file_bytes; /* from there; what follows is zeros */
};

struct space {
	pa_t root;
	uint64_t id; /* never another's: cpu/tlb.h */
	/* The level-1 table used last, and the 2 MiB it maps. Tables stay. */
	uintptr_t table_base;
	uint64_t *table;
	struct vma *first;
	struct vma *recent; /* the last one found */
};

/* An address space with the gate alone. NULL: no memory. */
struct space *space_new(void);

/* Everything in it, and its tables, go. No processor uses it any more. */
void space_free(struct space *s);

/* What @parent has, its pages shared until written. NULL: no memory. */
struct space *space_fork(struct space *parent);

/*
 * Add an area like *@want (start, end, prot, kind, and for files the rest).
 * -EINVAL outside user space, -EEXIST on an overlap, -ENOMEM.
 */
int space_add(struct space *s, const struct vma *want);

/* The area that @va lies in, or NULL. */
struct vma *space_search(struct space *s, uintptr_t va);

static inline struct vma *space_find(struct space *s, uintptr_t va)
{
	struct vma *v = s->recent;

	return v && va >= v->lowest && va < v->end ? v : space_search(s, va);
}

/* Anonymous memory, somewhere or (MAP_FIXED) at @at. Address or -errno. */
int64_t space_mmap(struct space *s, uintptr_t at, size_t bytes, unsigned prot,
		   unsigned flags);

/* Both split areas where needed. 0 or -errno. */
int space_munmap(struct space *s, uintptr_t at, size_t bytes);
int space_mprotect(struct space *s, uintptr_t at, size_t bytes, unsigned prot);

#endif
