/* SPDX-License-Identifier: MIT */
/*
 * Making room. What is cheapest goes first: pages of files that are clean and
 * were not used for long, then anonymous pages, to swap; then, if nothing was
 * unused, what was used longest ago. What is locked, or held by more than the
 * tables that map it, stays.
 *
 * Two make room: who finds no frame (reclaim, in the middle of whatever it
 * does), and a kernel thread that is woken before it comes to that. Only the
 * thread writes to files: whoever allocates may have the file system in hand.
 *
 * When nothing can leave, the process that has most is killed, and process 1
 * last: the run ends with it.
 */
#pragma once

#include "guest/mm/frame.h"

struct vma;

/* Start the thread. Before it, reclaim finds nothing. */
void reclaim_init(void);

/* The room below which the thread is to be woken. */
extern uint64_t reclaim_low;
void reclaim_wake(void);

/* We are making room just now. */
bool reclaim_running(void);

/*
 * Free some frames, @want if it can be done; if nothing else helps and @kill,
 * by killing a process. False: there is no hope. Sleeps.
 */
bool reclaim(unsigned want, bool kill);

/* One pass, for SYS_RECLAIM: how many frames were freed. Sleeps. */
unsigned reclaim_pass(unsigned want);

/* madvise: the pages of @v leave now, used or not. Sleeps. */
void reclaim_range(struct vma *v);

/* lru.c: */

/* List some that are in no list yet, after at most @looks at descriptors. */
void lru_gather(unsigned looks);

/* @f, in no list, becomes the first of one. */
void lru_add(struct frame *f, bool active);

/* @f, which is listed, becomes the first of the list. */
void lru_move(struct frame *f, bool active);

/* @f is listed no more. */
void lru_remove(struct frame *f);
