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
#include "guest/mm/zone.h"

#include "guest/lib/base.h"

static void push(struct frame_list *free, uint32_t n, unsigned order,
		 unsigned touched)
{
	frames[n].flags = (uint16_t)(FRAME_HEAD | touched);
	frames[n].order = (uint8_t)order;
	frame_list_add(&free[order], frames + n);
}

static void unlink(struct frame_list *free, uint32_t n, unsigned order)
{
	frames[n].flags &= (uint16_t)~FRAME_HEAD;
	frame_list_remove(&free[order], frames + n);
}

/* A block counts as touched if a part of it was. */
void buddy_add(struct frame_list *free, uint32_t n, unsigned order)
{
	unsigned touched = frames[n].flags & FRAME_TOUCHED;

	if (frames[n].flags & FRAME_HEAD)
		panic("frame %#x freed twice", n);
	for (; order + 1 < ZONE_ORDERS && !broken("buddy"); order++) {
		uint32_t other = n ^ 1u << order;

		if (!(frames[other].flags & FRAME_HEAD) ||
		    frames[other].order != order)
			break;
		unlink(free, other, order);
		touched |= frames[other].flags & FRAME_TOUCHED;
		n &= other;
	}
	push(free, n, order, touched);
}

/* The lower half is handed out, so memory is used from its start upwards. */
uint32_t buddy_take(struct frame_list *free, unsigned order)
{
	unsigned from = order;
	uint32_t n;

	while (from < ZONE_ORDERS && !free[from].count)
		from++;
	if (from == ZONE_ORDERS)
		return 0;
	n = free[from].first;
	unlink(free, n, from);
	while (from > order) {
		from--;
		push(free, n + (1u << from), from,
		     frames[n].flags & FRAME_TOUCHED);
	}
	return n;
}
