/* SPDX-License-Identifier: MIT */
/*
 * The way back: from a frame to every leaf that maps it. Nothing is stored for
 * it: an anonymous frame lies at one address, in any space, since fork leaves
 * pages where they are; a frame of a mapping lies at one index in some of the
 * areas that show that mapping. Their tables are looked at, until as many
 * leaves are found as the frame says there are. (A list of the areas that may
 * have it, Linux's anon_vma, would save looking at the others' tables, for a
 * pointer in each area, and work at each fork, split and merge.)
 */
#ifndef GUEST_MM_RMAP_H
#define GUEST_MM_RMAP_H

#include <stdbool.h>

#include "guest/mm/frame.h"
#include "guest/mm/pte.h"

/*
 * Take @f out of every table. Its leaves become those of its slot if it is
 * anonymous (f->slot must be set), else empty.
 * The caller holds a reference of its own.
 */
void rmap_unmap(struct frame *f);

/*
 * Take @bit from all its leaves; true if one had it. PTE_A: was @f used since
 * the last time? PTE_W: nobody writes to it from now on without a fault.
 */
bool rmap_take(struct frame *f, uint64_t bit);

/* Does an area that is locked map it? */
bool rmap_locked(struct frame *f);

#endif
