/* SPDX-License-Identifier: MIT */
/*
 * Stale translations (SDM vol. 3, 4.10.4). Whoever makes a present entry of a
 * program's tables weaker, or points it elsewhere, says so here; when the call
 * returns no processor uses the old one, and its frame may be reused.
 */
#ifndef GUEST_CPU_TLB_H
#define GUEST_CPU_TLB_H

#include <stdint.h>

struct space;

/* The page at @va of @s; of the kernel's own half if @s is NULL. */
void tlb_flush_page(struct space *s, uintptr_t va);

/* All pages of @s: cheaper than many single ones. */
void tlb_flush_space(struct space *s);

#endif
