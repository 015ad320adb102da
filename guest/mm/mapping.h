/* SPDX-License-Identifier: MIT */
/*
 * The page cache: pages of an object (a file, a disk, shared memory), by their
 * index in it. read(2), write(2) and mmap see the same frame, which is there
 * once; what was read stays until memory is wanted for something else.
 *
 * A cached frame has FRAME_FILE, owner (the mapping), index, and one count for
 * the cache itself. Its flags:
 *
 *                      read                     written to
 *	BUSY ------------------> UPTODATE ------------------> UPTODATE|DIRTY
 *	                            ^                             | write
 *	                            +---- UPTODATE|BUSY <---------+
 *
 * A leaf of the tree is a frame, or an odd word: the swap slot where a page of
 * shared memory is.
 */
#pragma once

#include "guest/mm/frame.h"

struct mapping;
struct vma;

/* radix.c: from an index of 64 bits to a word; 0 is the same as none. */
struct radix {
	uint64_t top;
	unsigned levels;
};

uint64_t radix_get(struct radix *r, uint64_t index);

/*
 * Store @to where @from is. 0, -EAGAIN (something else is there), -ENOMEM.
 * Sleeps only, and fails for memory only, where nothing was: @from is 0.
 */
int radix_replace(struct radix *r, uint64_t index, uint64_t from, uint64_t to);

/* The first word at *index or behind; *index says where. False: none. */
bool radix_next(const struct radix *r, uint64_t *index, uint64_t *word);

/*
 * Fill @f, whose index says with what (f->slot: swap has it), or with @write
 * store it. Sleeps. 0 or -errno.
 */
typedef int transfer_fn(struct mapping *m, struct frame *f, bool write);

/* All may sleep, all but transfer may be NULL. 0 or -errno. */
struct mapping_ops {
	transfer_fn *transfer;
	/* make @f, held and up to date, dirty, when there is a place to store
	 * it; -EAGAIN: it has left the cache meanwhile */
	int (*reserve)(struct mapping *m, struct frame *f);
	/* an area begins to show the object, or ends to */
	void (*hold)(struct mapping *m);
	void (*release)(struct mapping *m);
};

struct mapping {
	const struct mapping_ops *ops;
	struct radix pages;
	struct vma *vmas; /* that show it: linked by mm/vma.h */
	uint64_t end; /* areas show no page at or behind this */
	uint64_t frames;
	uint64_t unsaved; /* dirty, or being written */
};

/* An empty one. */
void mapping_init(struct mapping *m, const struct mapping_ops *ops);

/*
 * Page @index, read if need be, in *f, with one reference for the caller. May
 * sleep. 0, -ENOMEM or what reading says.
 */
int mapping_get(struct mapping *m, uint64_t index, struct frame **f);

/* @f, got from above, was written to. */
void mapping_dirty(struct frame *f);

/*
 * @f, got from above, is about to be written to: it is dirty from now on, and
 * there is a place to store it. May sleep. 0, -EAGAIN: @f is no page of @m any
 * more, or what reserving says.
 */
int mapping_write(struct mapping *m, struct frame *f);

/*
 * Write what is dirty in [first, end), and wait until it is written. May
 * sleep. 0, or the last error; what could not be written stays dirty.
 */
int mapping_sync(struct mapping *m, uint64_t first, uint64_t end);

/* Forget @f, if it is clean, idle, and nobody else holds it. */
bool mapping_evict(struct frame *f);

/* Forget the pages in [first, end), dirty or not. May sleep. */
void mapping_discard(struct mapping *m, uint64_t first, uint64_t end);

/*
 * One input or output of @f: busy meanwhile, and what @fn says. What owns @f
 * waits for that before it ends. mapping_wait: until @f is not busy. Sleep.
 */
int mapping_transfer(struct mapping *m, struct frame *f, transfer_fn *fn,
		     bool write);
void mapping_wait(struct frame *f);

/* Evict all that can be, of all mappings; how many that were. */
uint64_t mapping_drop_all(void);
