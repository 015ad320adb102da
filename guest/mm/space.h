/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: a root table whose lower half is the process's own, and the
 * areas that say what belongs into it. space.c makes, copies and ends them;
 * map.c is what a program asks of its own.
 *
 * An area promises pages, fault.c gives each at its first touch. Tables stay
 * until the space ends: the next mapping nearby will want them.
 */
#pragma once

#include "guest/mm/vma.h"

struct trap_frame;

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
	uintptr_t heap, heap_end; /* set by exec, moved by space_brk */
	struct space *next; /* all there are */
};
extern struct space *spaces;

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

/*
 * Add an area: start, end, prot, flags and kind of @want say which, and if it
 * shows a mapping, mapping, shift and file_end. -EINVAL outside user space,
 * -EEXIST on an overlap, -ENOMEM.
 */
int space_map(struct space *s, struct vma want);

/* Take @v, an area, away, with what is in it. */
void space_unmap(struct vma *v);

/*
 * The leak check: how many frames for pages and tables of programs are in no
 * space. Who is between having one and giving it back, asleep, has one of them.
 */
uint64_t space_strays(void);

/* The area that @va lies in, or NULL. */
struct vma *space_search(struct space *s, uintptr_t va);

static inline struct vma *space_find(struct space *s, uintptr_t va)
{
	struct vma *v = s->recent;

	return v && va >= v->lowest && va < v->end ? v : space_search(s, va);
}

/* Empty all leaves of @v. */
void space_drop(struct vma *v);

/* Leaves of @v were made weaker. */
void space_flush(const struct vma *v);

/*
 * What a program asks of its own memory (proc/api.h). Addresses are pages,
 * bytes are rounded up to pages. -EINVAL where that is not so or outside user
 * space, -ENOMEM where memory is short or (all but munmap) nothing is mapped.
 * All may sleep.
 *
 * mmap takes of @want what space_map does, start may be 0; flags are those of
 * the system call, shift is the page of the mapping to begin with. Where.
 */
int64_t space_mmap(struct space *s, struct vma want);
int space_munmap(struct space *s, uintptr_t at, size_t bytes);
int space_mprotect(struct space *s, uintptr_t at, size_t bytes, unsigned prot);
int space_madvise(struct space *s, uintptr_t at, size_t bytes, unsigned advice);

/* Move the end of the heap by @more bytes; where it was, or -ENOMEM. */
int64_t space_brk(struct space *s, int64_t more);

/* fault.c: memory that was promised is given. */
/* Give the page, or let the process hear that there is none. For trap.S. */
void page_fault(struct trap_frame *f);

/*
 * Make the page at @va such that an access with error code @error (mm/pte.h;
 * FAULT_U, with FAULT_W or FAULT_I) can be tried again. Counts nothing: only
 * the processor's faults are faults. May sleep. 0, -EFAULT, -ENOMEM, -EIO.
 */
int fault_resolve(struct space *s, uintptr_t va, uint64_t error);

/* What an error code says, in words. */
const char *fault_reason(uint64_t error);

/* user.c: copies between the kernel and a program. All may sleep. */
/*
 * Where the kernel sees the byte at @va, and the rest of its page; NULL if the
 * program may not. Until the next sleep.
 */
void *user_byte(struct space *s, uintptr_t va, bool write);

/* 0 or -EFAULT; then a part may have been copied. */
int user_write(struct space *s, uintptr_t to, const void *from, size_t n);
int user_read(struct space *s, void *to, uintptr_t from, size_t n);

/*
 * A string into to[@room], with its NUL. Its length, -EFAULT, -ENAMETOOLONG.
 */
int64_t user_string(struct space *s, char *to, uintptr_t from, size_t room);
