/* SPDX-License-Identifier: MIT */
/*
 * The buddy system (Knowlton 1965; Knuth, TAOCP vol. 1, 2.5): free memory as
 * blocks of 2^order frames, each aligned to its size. The block beside it with
 * which it makes a larger one is its buddy:
 *
 *      order 1   [ 8  9 ] [10 11 ]     buddy of 8 is 8 ^ 2 = 10
 *      order 2   [ 8  9    10 11 ]     both free: one block
 *
 * Blocks are known by the number of their first frame, and linked through the
 * descriptors, so that free memory itself is never touched. The first frame of
 * a free block has FRAME_HEAD, and no other frame has; its FRAME_TOUCHED speaks
 * for the whole block.
 */
#ifndef GUEST_MM_BUDDY_H
#define GUEST_MM_BUDDY_H

#include "guest/mm/frame.h"

/* A zone's free blocks: ZONE_ORDERS lists, by order. */

/* The block of @order at @n is free: merge it as far as that goes. */
void buddy_add(struct frame_list *free, uint32_t n, unsigned order);

/* A block of @order, split off a larger one if need be. 0: there is none. */
uint32_t buddy_take(struct frame_list *free, unsigned order);

#endif
