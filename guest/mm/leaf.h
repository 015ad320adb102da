/* SPDX-License-Identifier: MIT */
/*
 * The leaves of a program's tables. Each is one of
 *
 *	empty		nothing yet: the area's nopage fills it
 *	present		maps a frame, held (count) and mapped (maps) once for it
 *	kept		the same while the area grants no right at all
 *	borrowed	present or kept; its frame is the kernel's, not counted
 *	slot		the bytes are in a slot of swap
 *
 * Only this header, fault.c's callees and rmap.c change leaves.
 */
#pragma once

#include "guest/mm/frame.h"
#include "guest/mm/space.h"
#include "guest/mm/table.h"

/* The counted frame of a leaf, or NULL. */
static inline struct frame *leaf_frame(uint64_t leaf)
{
	if (!(leaf & (PTE_P | PTE_KEPT)) || leaf & PTE_BORROWED)
		return NULL;
	return frame_at(pte_pa(leaf));
}

/* The leaf for @va. Faults come in runs, and a run shares its last table. */
static inline uint64_t *leaf_at(struct space *s, uintptr_t va)
{
	uintptr_t base = va & ~(LARGE_SIZE - 1);
	uint64_t *at;

	if (s->table_base == base)
		return s->table + level_index(va, 1);
	at = table_slot(s->root, va, 1);
	if (at) {
		s->table_base = base;
		s->table = at - level_index(va, 1);
	}
	return at;
}

/* The first leaf at *va or above, below @end, that is not empty; or NULL. */
uint64_t *leaf_next(struct space *s, uintptr_t *va, uintptr_t end);

/* What a leaf says for @prot. No right at all: not present, frame kept. */
uint64_t leaf_bits(unsigned prot);

/* Empty a leaf of @v. The caller flushes before it sleeps or returns. */
void leaf_drop(struct vma *v, uint64_t *at);

/* The frame of *@at, if it has one, is not evicted from now on. */
void leaf_lock(const uint64_t *at);

/* Map @f, for which the caller has a reference. */
static inline void leaf_map(struct vma *v, uint64_t *at, struct frame *f,
			    uint64_t bits)
{
	f->maps++;
	v->space->resident++;
	*at = frame_pa(f).v | bits;
	if (v->flags & VMA_LOCKED)
		leaf_lock(at);
}

/* A leaf of @s that mapped @f is gone, and with it its hold on @f. */
void leaf_left(struct space *s, struct frame *f);

/* The area of a leaf that maps @f is not locked any more. */
void leaf_unlocked(struct frame *f);

/*
 * The leaves beside the first of each anonymous frame: all that map files, and
 * those by which such a frame is shared. So all leaves there are, less these,
 * are the anonymous frames that are somebody's (space_strays).
 */
extern uint64_t leaf_others;

/* Make a leaf of @v say what v->bits say now; the caller flushes. */
void leaf_protect(struct vma *v, uint64_t *at);

/* Fork: the leaf *@at of the parent into the empty one *@to of @child. */
void leaf_share(struct vma *child, uint64_t *at, uint64_t *to);

/*
 * rmap.c, the way back from a frame to its leaves. Take @f out of every table:
 * its leaves become those of its slot if it is anonymous (f->slot must be set),
 * else empty. The caller holds a reference of its own.
 */
void rmap_unmap(struct frame *f);

/*
 * Take @bit from all its leaves; true if one had it. PTE_A: was @f used since
 * the last time? PTE_W: nobody writes to it from now on without a fault.
 */
bool rmap_take(struct frame *f, uint64_t bit);

/* Does an area that is locked map it? */
bool rmap_locked(struct frame *f);
