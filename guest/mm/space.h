/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: a root table whose lower half is the process's own, and the
 * areas that say what belongs into it. space.c makes, copies and ends them;
 * map.c is what a program asks of its own.
 *
 * An area promises pages, fault.c gives each at its first touch. Tables stay
 * until the space ends: the next mapping nearby will want them.
 */
#ifndef GUEST_MM_SPACE_H
#define GUEST_MM_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/mm/vma.h"

struct space {
	/* The level-1 table used last, and the 2 MiB it maps. */
	uintptr_t table_base;
	uint64_t *table;
	struct vma *recent; /* the last area found */
	struct vma *areas; /* vma.h: a tree */
	unsigned area_count;
	pa_t root;
	uint64_t id; /* never another's: cpu/tlb.h */
	uint64_t resident, swapped; /* pages: in frames, in slots */
	uint64_t limit; /* of the resident, SYS_LIMIT */
	uintptr_t heap, heap_end; /* set by exec, moved by space_brk */
	struct space *next, **link; /* all there are */
};
extern struct space *spaces;

/* What is to be mapped where; what is 0 or NULL does not matter. */
struct map_request {
	uintptr_t at; /* bytes from here */
	size_t bytes;
	unsigned prot, flags; /* MAP_SHARED and VMA_READ_ONLY count */
	enum vma_kind kind;
	struct mapping *mapping; /* show its pages, from number offset on */
	uint64_t offset;
	uint64_t file_bytes; /* so many of the file, then zeros; or FILE_ALL */
};

/*
 * An address space with nothing in it but the kernel's half and the gate page.
 * NULL: no memory.
 */
struct space *space_new(void);

/*
 * A copy of @parent, the running process's, that shares all frames until one
 * side writes. May sleep. NULL: no memory, and the parent is as it was.
 */
struct space *space_fork(struct space *parent);

/* End @s, which no processor uses. */
void space_free(struct space *s);

/* Add an area. -EINVAL outside user space, -EEXIST on an overlap, -ENOMEM. */
int space_map(struct space *s, const struct map_request *want);

/* The area that @va lies in, or NULL. */
struct vma *space_search(struct space *s, uintptr_t va);

static inline struct vma *space_find(struct space *s, uintptr_t va)
{
	struct vma *v = s->recent;

	return v && va >= v->lowest && va < v->end ? v : space_search(s, va);
}

/* Call for each leaf in [start, end) of @v that is not empty. */
typedef void leaf_fn(struct vma *v, uint64_t *at);
void space_each(struct vma *v, uintptr_t start, uintptr_t end, leaf_fn *fn);

/* Empty all leaves in [start, end) of @v. */
void space_drop(struct vma *v, uintptr_t start, uintptr_t end);

/* Leaves in [start, end) were made weaker. */
void space_flush(struct space *s, uintptr_t start, uintptr_t end);

/*
 * What a program asks of its own memory (proc/api.h). Addresses are pages,
 * bytes are rounded up to pages. -EINVAL where that is not so or outside user
 * space, -ENOMEM where memory is short or (all but munmap) nothing is mapped.
 * All may sleep.
 */
int64_t space_mmap(struct space *s, struct map_request *want);
int space_munmap(struct space *s, uintptr_t at, size_t bytes);
int space_mprotect(struct space *s, uintptr_t at, size_t bytes, unsigned prot);
int space_mlock(struct space *s, uintptr_t at, size_t bytes, bool lock);
int space_msync(struct space *s, uintptr_t at, size_t bytes);
int space_madvise(struct space *s, uintptr_t at, size_t bytes, unsigned advice);

/* Move the end of the heap by @more bytes; where it was, or -ENOMEM. */
int64_t space_brk(struct space *s, int64_t more);

#endif
