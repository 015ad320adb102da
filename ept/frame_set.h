/* SPDX-License-Identifier: MIT */
/* A set of frames: a bit a frame. Nothing allocates after init. */
#ifndef EPT_FRAME_SET_H
#define EPT_FRAME_SET_H

#include <stdlib.h>

#include "ept/addr.h"

struct frame_set {
	uint64_t *word;
};

/* For frames [0, @frames), empty. False: no memory. */
static inline bool frame_set_init(struct frame_set *s, uint64_t frames)
{
	s->word = calloc(frames / 64 + 1, sizeof(s->word[0]));
	return s->word;
}

static inline void frame_set_free(struct frame_set *s)
{
	free(s->word);
}

static inline bool frame_set_has(const struct frame_set *s, frame_t f)
{
	return s->word[f.v / 64] >> f.v % 64 & 1;
}

static inline void frame_set_add(struct frame_set *s, frame_t f)
{
	s->word[f.v / 64] |= UINT64_C(1) << f.v % 64;
}

static inline void frame_set_remove(struct frame_set *s, frame_t f)
{
	s->word[f.v / 64] &= ~(UINT64_C(1) << f.v % 64);
}

#endif
