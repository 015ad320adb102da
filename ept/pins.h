/* SPDX-License-Identifier: MIT */
/*
 * Frames that must stay because a device uses them, with how often each is
 * pinned. Few are at a time, so they have a small table of their own: a count
 * beside every page of RAM would be the larger part of what we keep of it.
 * The caller serialises all calls.
 */
#ifndef EPT_PINS_H
#define EPT_PINS_H

#include "ept/addr.h"

#define PINS_MAX 1024 /* frames pinned at a time */

struct pins {
	unsigned frames;
	struct {
		frame_t frame;
		uint64_t pins; /* 0: the place is free */
	} place[2 * PINS_MAX];
};

/* Pin @f once more. False: @most frames, or all that may be, are pinned. */
bool pins_add(struct pins *p, frame_t f, uint64_t most);
/* The end of one pin of @f. True: it was the last. */
bool pins_drop(struct pins *p, frame_t f);
bool pins_hold(const struct pins *p, frame_t f);

#endif
