/* SPDX-License-Identifier: MIT */
/*
 * What the kernel keeps about processes, as a program finds it: by reading the
 * kernel's own structures where they lie (SYS_MEMORY), as ps once did. Nothing
 * stops the kernel meanwhile; what is in motion may be seen half way.
 *
 * @pid 0 is the caller. All answer 1, 0 if there is none, or -errno.
 */
#pragma once

#include <stdint.h>

#include "guest/proc/api.h"

struct process_info {
	uint32_t pid, parent;
	uint32_t state; /* enum process_state */
	uint32_t cpu;
	uint64_t root; /* physical address of its top table, 0: a kernel's */
	uint64_t resident; /* pages */
	uint64_t ticks; /* of the timer that it ran */
	char name[32];
};

/* Process @index of all, newest first. */
int64_t process_info(unsigned index, struct process_info *to);

struct area_info {
	uint64_t start, end, offset; /* offset into the file, in bytes */
	uint32_t prot, flags; /* MAP_SHARED counts */
	uint64_t resident, swapped; /* pages */
	uint32_t kind; /* enum vma_kind */
	uint32_t locked;
	uint64_t ops; /* address of the kernel's struct vma_ops for its kind */
	char name[32]; /* of the file, [heap], [stack], [gate] or "" */
};

/* The lowest area that ends above @at. */
int64_t area_info(int64_t pid, uint64_t at, struct area_info *to);

/* One walk of the processor's tables, root first. */
struct walk {
	uint32_t entries; /* read: 4 down to a 4 KiB leaf, less else */
	uint32_t found;
	uint64_t pa; /* meaningful when found */
	uint64_t entry[4];
	uint64_t entry_pa[4]; /* where each lies */
};

int64_t walk(int64_t pid, uint64_t at, struct walk *to);

/* What was counted so far. */
int64_t kernel_counts(struct sys_counts *to);
/* The same once files are written and no cache is left: what is then in use,
 * somebody uses. A page that is in a frame does not count as one in a slot. */
struct sys_counts settled_counts(void);
uint64_t used_frames(const struct sys_counts *c);
/* In a frame or in a slot of swap: a page may go from one to the other. */
uint64_t pages_kept(const struct sys_counts *c);
uint64_t all_frames(void);

/* The descriptor of the block of frames that @pa lies in. */
int64_t kernel_frame(uint64_t pa, struct frame *to);

/* Zone @index; that of 0 comes after all that is free went to the zones. */
int64_t kernel_zone(unsigned index, struct zone *to);
uint64_t zone_free(const struct zone *z); /* frames */

int64_t kernel_cache(unsigned index, struct cache *to);
uint64_t cache_room(const struct cache *c); /* for objects, in all its frames */
