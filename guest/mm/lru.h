/* SPDX-License-Identifier: MIT */
/*
 * Which page was not used for long? Anonymous pages and pages of files, each
 * in two lists, newest first: those in use lately (active), and those that are
 * looked at before long and leave unless they were used again (inactive).
 *
 *      gathered             used: to the front
 *         |                  +---------+
 *         v       used       |         |
 *      inactive ---------> active <----+
 *         |    <---------
 *         v     not used
 *       leaves
 *
 * A frame is gathered when memory gets short, not when it is handed out: until
 * then a page fault pays nothing for it.
 */
#ifndef GUEST_MM_LRU_H
#define GUEST_MM_LRU_H

#include "guest/mm/frame.h"

/* List some that are in no list yet, after at most @looks at descriptors. */
void lru_gather(unsigned looks);

/* @f, in no list, is in use now: it was read from swap. */
void lru_add(struct frame *f);

/* @f, which is listed, becomes the first of the list. */
void lru_move(struct frame *f, bool active);

/* @f is listed no more. */
void lru_remove(struct frame *f);
#endif
