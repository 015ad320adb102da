/* SPDX-License-Identifier: MIT */
/*
 * Where RAM is, and what of it is free. RAM minus what is reserved makes a few
 * *runs*, in two zones: DMA, below 16 MiB, for devices that reach no further,
 * and NORMAL. A run is brought into being from its start upwards, a block of
 * at most 4 MiB at a time, which then belongs to the zone's buddy system:
 *
 *      start              next                top             end
 *        | blocks, in use   |  never used       | kept apart    |
 *
 * A descriptor has a meaning only once its frame was brought into being, so
 * starting on 64 GiB touches no more memory than starting on 64 MiB.
 *
 * Only frame.c allocates here; everybody else asks it (mm/frame.h).
 */
#ifndef GUEST_MM_ZONE_H
#define GUEST_MM_ZONE_H

#include "guest/mm/frame.h"

#define DMA_END 0x1000000ul
#define ZONES	(ZONE_NORMAL + 1)

/* An apart frame has this many never-used neighbours on either side. */
#define ZONE_APART 128u

/* Find the runs, place the descriptors. Before there is a direct map. */
void zone_init(const struct machine *m);

/* 2^order frames from zone @highest or one below it; NULL if there are none. */
struct frame *zone_take(unsigned order, enum zone_id highest);

/* The smallest block there is, but at most 2^*order frames; *order: its. */
struct frame *zone_take_some(unsigned *order, enum zone_id highest);

/* One frame far from every other that was ever touched. */
struct frame *zone_take_apart(void);

void zone_give(struct frame *f, unsigned order);

static inline enum zone_id zone_of(const struct frame *f)
{
	return f < frames + (DMA_END >> PAGE_SHIFT) ? ZONE_DMA : ZONE_NORMAL;
}

/* *n becomes the next frame that was brought into being; the answer is the
 * first behind it that was not. 0: there are none at or behind *n. */
uint32_t zone_span(uint32_t *n);

/* Frames that exist; their number never grows. */
uint64_t zone_frames(void);

/* FRAME_NONE, _RESERVED, _UNUSED; else FRAME_FREE: look at the descriptor. */
enum frame_use zone_use(pa_t pa);

/* Zone @index for SYS_ZONE; false behind the last. */
bool zone_describe(unsigned index, struct sys_zone *to);

#endif
