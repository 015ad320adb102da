/* SPDX-License-Identifier: MIT */
/*
 * Physical memory, page by page: an array of descriptors, one a frame, indexed
 * by frame number.
 *
 * RAM minus what is reserved makes a few *runs*. A run is handed out from its
 * start upwards, and what was given back is kept in a list:
 *
 *      start          next                    top           end
 *        | handed out   |  never used           | kept apart  |
 *
 * A descriptor has a meaning only once its frame was handed out, so starting
 * on 64 GiB touches no more memory than starting on 64 MiB.
 */
#ifndef GUEST_MM_FRAME_H
#define GUEST_MM_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/boot/machine.h"
#include "guest/mm/addr.h"
#include "guest/proc/api.h"

struct frame {
	uint32_t next, prev; /* the list it is on: frame numbers, 0 ends it */
	uint32_t count; /* who hold it: its owner, each mapping entry, I/O */
	uint32_t maps; /* table entries that map it */
	void *owner; /* FRAME_ANON: struct anon; FRAME_FILE: struct mapping */
	uint64_t index; /* page number within owner; of anon: va >> 12 */
	uint32_t slot; /* of swap, + 1, that holds the same bytes; 0: none */
	uint8_t use, order; /* enum frame_use */
	uint16_t flags;
};

enum { FRAME_LOCKED = 1 << 5 /* never evicted */ };

struct frame_counts {
	uint64_t total; /* that can ever be handed out */
	uint64_t used, tables; /* tables are among the used */
};

/* An apart frame has this many never-used neighbours on either side. */
#define FRAME_APART 128u

void frame_init(const struct machine *m);

/* A frame of zeros with one holder, or NULL. */
struct frame *frame_alloc(enum frame_use use);

/* The same, far from every other frame that was ever touched. */
struct frame *frame_alloc_apart(enum frame_use use);

/* One holder less; the last one gives the frame back. */
void frame_put(struct frame *f);

/* The descriptor of frame 0. */
extern struct frame *frames;

static inline pa_t frame_pa(const struct frame *f)
{
	return (pa_t){ (uint64_t)(f - frames) << PAGE_SHIFT };
}

static inline struct frame *frame_at(pa_t pa)
{
	return frames + (pa.v >> PAGE_SHIFT);
}

/* What @pa is: RAM or not, and whose. */
struct frame_info frame_describe(pa_t pa);
struct frame_counts frame_counts(void);

/*
 * Memory is promised before it is given. False if @pages more, and the tables
 * to map them, could not all be given at once.
 */
bool frame_promise(uint64_t pages);
void frame_unpromise(uint64_t pages);

#endif
