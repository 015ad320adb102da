/* SPDX-License-Identifier: MIT */
#include "guest/mm/buddy.h"

#include "guest/lib/broken.h"
#include "guest/lib/print.h"

static void push(struct buddy *b, uint32_t n, unsigned order, unsigned touched)
{
	struct frame *f = frames + n;

	f->flags = (uint16_t)(FRAME_HEAD | touched);
	f->order = (uint8_t)order;
	f->prev = 0;
	f->next = b->free[order];
	if (f->next)
		frames[f->next].prev = n;
	b->free[order] = n;
	b->blocks[order]++;
}

static void unlink(struct buddy *b, uint32_t n, unsigned order)
{
	struct frame *f = frames + n;

	f->flags &= (uint16_t)~FRAME_HEAD;
	if (f->prev)
		frames[f->prev].next = f->next;
	else
		b->free[order] = f->next;
	if (f->next)
		frames[f->next].prev = f->prev;
	b->blocks[order]--;
}

static bool is_free(uint32_t n, unsigned order)
{
	return frames[n].flags & FRAME_HEAD && frames[n].order == order;
}

/* A block counts as touched if a part of it was. */
void buddy_add(struct buddy *b, uint32_t n, unsigned order)
{
	unsigned touched = frames[n].flags & FRAME_TOUCHED;

	if (frames[n].flags & FRAME_HEAD)
		panic("frame %#x freed twice", n);
	for (; order + 1 < ZONE_ORDERS && !broken("buddy"); order++) {
		uint32_t other = n ^ 1u << order;

		if (!is_free(other, order))
			break;
		unlink(b, other, order);
		touched |= frames[other].flags & FRAME_TOUCHED;
		n &= other;
	}
	push(b, n, order, touched);
}

/* The lower half is handed out, so memory is used from its start upwards. */
uint32_t buddy_take(struct buddy *b, unsigned order)
{
	unsigned from = order;
	uint32_t n;

	while (from < ZONE_ORDERS && !b->free[from])
		from++;
	if (from == ZONE_ORDERS)
		return 0;
	n = b->free[from];
	unlink(b, n, from);
	while (from > order) {
		from--;
		push(b, n + (1u << from), from,
		     frames[n].flags & FRAME_TOUCHED);
	}
	return n;
}

uint64_t buddy_frames(const struct buddy *b)
{
	uint64_t sum = 0;

	for (unsigned order = 0; order < ZONE_ORDERS; order++)
		sum += b->blocks[order] << order;
	return sum;
}
