/* SPDX-License-Identifier: MIT */
/*
 * Where RAM is, and what of it is free: in two zones, DMA, below 16 MiB, for
 * devices that reach no further, and NORMAL. What the machine has of a zone and
 * nothing is reserved for is brought into being from its start upwards, a block
 * of at most 4 MiB at a time, which then belongs to the zone's buddy system:
 *
 *                            next                 end
 *        | blocks, in use     |  never used        |
 *
 * A descriptor has a meaning only once its frame was brought into being, so
 * starting on 64 GiB touches no more memory than starting on 64 MiB.
 *
 * Only frame.c allocates here; everybody else asks it (mm/frame.h).
 */
#pragma once

#include "guest/mm/frame.h"

#define DMA_END 0x1000000ul

extern struct zone zones[ZONES];

/* Find the RAM, place the descriptors. Before there is a direct map. */
void zone_init(void);

/*
 * The smallest block there is, in zone @highest or one below it, that has at
 * least 2^least frames; of it at most 2^*order. *order: its. NULL: none.
 */
struct frame *zone_take(enum zone_id highest, unsigned least, unsigned *order);

void zone_give(struct frame *f, unsigned order);

static inline enum zone_id zone_of(const struct frame *f)
{
	return f < frames + (DMA_END >> PAGE_SHIFT) ? ZONE_DMA : ZONE_NORMAL;
}

/* *n becomes the next frame that was brought into being; the answer is the
 * first behind it that was not. 0: there are none at or behind *n. */
uint32_t zone_span(uint32_t *n);

/* Frames that were taken and not given back. */
extern uint64_t zone_taken;

/* Frames that exist; their number never changes. */
uint64_t zone_frames(void);

/* There is RAM at @pa. */
bool zone_has(pa_t pa);

/*
 * buddy.c: a zone's free blocks, ZONE_ORDERS lists by order. The block of
 * @order at @n is free: merge it as far as that goes. A block of @order, split
 * off a larger one if need be; 0: there is none.
 */
void buddy_add(struct frame_list *free, uint32_t n, unsigned order);
uint32_t buddy_take(struct frame_list *free, unsigned order);
