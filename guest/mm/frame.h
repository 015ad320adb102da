/* SPDX-License-Identifier: MIT */
/*
 * Physical memory, page by page: an array of descriptors, one a frame, indexed
 * by frame number, and how frames are had and given back.
 *
 * Between those who want one frame and the zones stands the *stock*: a list of
 * single frames that were given back, or cut from a block. To take from it and
 * to give to it is a few instructions; the buddy system sees its frames again
 * only when a larger block is wanted, or its counts are.
 */
#pragma once

#include "guest/boot/machine.h"
#include "guest/lib/counts.h"

void frame_init(void);

/*
 * The kernel option "debug": freed memory is filled with a pattern, which as an
 * address is not canonical, and looked at before it is used again; what parts
 * of the kernel do wrong with memory ends the run with its name.
 */
extern bool debug_checks;
#define POISON 0x6b6b6b6b6b6b6b6bul

/* Where single frames come from: DMA until there is a direct map. */
extern enum zone_id frame_zone;

/*
 * One frame, of zeros or with any content, with one holder; or NULL. May sleep
 * while room is made (mm/reclaim.h), as frames_alloc may.
 */
struct frame *frame_alloc(enum frame_use use);
struct frame *frame_alloc_raw(enum frame_use use);

/*
 * 2^order frames in a row with any content, aligned to their size; or NULL. The
 * first stands for all.
 */
struct frame *frames_alloc(unsigned order, enum zone_id highest,
			   enum frame_use use);

/* The same of what is free already: no room is made. Does not sleep. */
struct frame *frames_alloc_free(unsigned order, enum frame_use use);

/* For frame_put: nobody holds the block that begins with @f any more. */
void frame_free(struct frame *f);

static inline void frame_get(struct frame *f)
{
	f->count++;
}

/* One holder less; the last one gives the frame back. */
static inline void frame_put(struct frame *f)
{
	if (!--f->count)
		frame_free(f);
}

/* The descriptor of frame 0. */
extern struct frame *frames;

static inline pa_t frame_pa(const struct frame *f)
{
	return (pa_t){ (uint64_t)(f - frames) << PAGE_SHIFT };
}

/* What is in it. */
static inline void *frame_bytes(const struct frame *f)
{
	return direct(frame_pa(f));
}

static inline struct frame *frame_at(pa_t pa)
{
	return frames + (pa.v >> PAGE_SHIFT);
}

static inline void frame_list_add(struct frame_list *l, struct frame *f)
{
	uint32_t n = (uint32_t)(f - frames);

	f->prev = 0;
	f->next = l->first;
	*(l->first ? &frames[l->first].prev : &l->last) = n;
	l->first = n;
	l->count++;
}

static inline void frame_list_remove(struct frame_list *l, struct frame *f)
{
	*(f->prev ? &frames[f->prev].next : &l->first) = f->next;
	*(f->next ? &frames[f->next].prev : &l->last) = f->prev;
	l->count--;
}

uint64_t frames_used(void);

/* From now on at most @most frames are in use at once, 0: all. The old one. */
uint64_t frame_limit(uint64_t most);

/* How many more that would be now. */
uint64_t frame_room(void);

/* One of them may be had, by who does not make room for others. */
bool frame_left(void);

/* Give the stock back to the zones, so that their counts say all. */
void frame_drain(void);

/*
 * Memory is promised before it is given. False if @pages more, and the tables
 * to map them, could not all be given at once.
 */
bool frame_promise(uint64_t pages);
void frame_unpromise(uint64_t pages);
