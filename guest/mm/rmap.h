/* SPDX-License-Identifier: MIT */
/*
 * The way back: from a frame to every leaf that maps it. Nothing is stored for
 * it but what areas are where: an anonymous frame lies at one address in some
 * of its anon's areas, a frame of a mapping at one index in some of the areas
 * that show that mapping; their tables are looked at.
 */
#ifndef GUEST_MM_RMAP_H
#define GUEST_MM_RMAP_H

#include <stdbool.h>

#include "guest/mm/frame.h"

struct space;

/*
 * Take @f out of every table. Its leaves become those of its slot if it is
 * anonymous (f->slot must be set), else empty. Returns how many there were.
 * The caller holds a reference of its own.
 */
unsigned rmap_unmap(struct frame *f);

/* Was @f used through a table since the last call? */
bool rmap_referenced(struct frame *f);

/* Nobody writes to @f from now on without a fault: it is about to be stored. */
void rmap_protect(struct frame *f);

/* Is it in a table of @s? */
bool rmap_in(struct frame *f, const struct space *s);

/* Does a locked area map it? */
bool rmap_locked(struct frame *f);

#endif
