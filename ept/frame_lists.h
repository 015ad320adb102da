/* SPDX-License-Identifier: MIT */
/*
 * A few queues of frames over one array of links, for policies that move
 * frames between lists: each frame is in one of them or in none, and the
 * lists know their lengths. Nothing allocates after init.
 */
#ifndef EPT_FRAME_LISTS_H
#define EPT_FRAME_LISTS_H

#include <stdlib.h>

#include "ept/addr.h"
#include "ept/packed.h"
#include "ept/ring.h"

#define LISTS	  4
#define LIST_NONE LISTS /* of a frame that is in none */

/* List i's head is i; frame f is LISTS + f. */
struct frame_lists {
	uint64_t frames;
	uint64_t count[LISTS];
	struct rings rings;
	struct packed list; /* [frames]: 1 + which one it is in, or 0 */
};

static inline void frame_lists_free(struct frame_lists *l)
{
	rings_free(&l->rings);
	packed_free(&l->list);
}

/* For frames [0, @frames), all lists empty. False: too many, or no memory;
 * frame_lists_free all the same. */
static inline bool frame_lists_init(struct frame_lists *l, uint64_t frames)
{
	*l = (struct frame_lists){ .frames = frames };
	return rings_init(&l->rings, LISTS + frames, LISTS) &&
	       packed_init(&l->list, frames, LISTS);
}

/* The list that @f is in, or LIST_NONE. */
static inline unsigned frame_lists_of(const struct frame_lists *l, frame_t f)
{
	uint64_t list;

	assert(f.v < l->frames);
	list = packed_get(&l->list, f.v);
	return list ? (unsigned)list - 1 : LIST_NONE;
}

/* Do the links agree that @f, which is in a list, is in one? */
static inline bool frame_lists_linked(const struct frame_lists *l, frame_t f)
{
	return ring_holds(&l->rings, LISTS + (uint32_t)f.v);
}

static inline void frame_lists_remove(struct frame_lists *l, frame_t f)
{
	unsigned list = frame_lists_of(l, f);

	assert(list != LIST_NONE);
	l->count[list]--;
	packed_set(&l->list, f.v, 0);
	ring_remove(&l->rings, LISTS + (uint32_t)f.v);
}

/* Make @f, which is in no list, the newest of @list. */
static inline void frame_lists_push(struct frame_lists *l, unsigned list,
				    frame_t f)
{
	assert(frame_lists_of(l, f) == LIST_NONE);
	l->count[list]++;
	packed_set(&l->list, f.v, list + 1);
	ring_add_last(&l->rings, list, LISTS + (uint32_t)f.v);
}

/* Make @f, wherever it is, the newest of @list. */
static inline void frame_lists_move(struct frame_lists *l, unsigned list,
				    frame_t f)
{
	if (frame_lists_of(l, f) != LIST_NONE)
		frame_lists_remove(l, f);
	frame_lists_push(l, list, f);
}

/* Take the oldest of @list. False: it is empty. */
static inline bool frame_lists_pop(struct frame_lists *l, unsigned list,
				   frame_t *f)
{
	if (!l->count[list])
		return false;
	*f = (frame_t){ ring_first(&l->rings, list) - LISTS };
	frame_lists_remove(l, *f);
	return true;
}

/* Let the oldest of @list go until it holds no more than @most. When @most has
 * just fallen far that takes several calls, so that each is short. */
static inline void frame_lists_trim(struct frame_lists *l, unsigned list,
				    uint64_t most)
{
	frame_t f;

	for (unsigned i = 0; i < 64 && l->count[list] > most; i++)
		frame_lists_pop(l, list, &f);
}

#endif
