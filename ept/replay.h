/* SPDX-License-Identifier: MIT */
/*
 * Replay: a policy at work on a string of references, without memory. It
 * counts what the policy is judged by.
 *
 * Capacity counts frames. A reference to a page that is not resident is a
 * miss, so the first one to each page is. Nobody else calls the policy of a
 * replay. The caller serialises; only init allocates.
 */
#ifndef EPT_REPLAY_H
#define EPT_REPLAY_H

#include <stddef.h>

#include "ept/frame_set.h"
#include "ept/policy.h"

struct replay {
	struct policy *policy;
	struct frame_set resident;
	uint64_t used; /* how many are */
	uint64_t references, misses;
};

/* @capacity >= 1 frames for the pages [0, @frames). 0 or -ENOMEM. */
int replay_init(struct replay *r, const struct policy_ops *ops, uint64_t frames,
		uint64_t capacity);
void replay_destroy(struct replay *r);

/* Page @f is referenced. */
void replay_reference(struct replay *r, frame_t f);
/* The pages frame[0] to frame[@n - 1] are, in this order. */
void replay_run(struct replay *r, const uint32_t *frame, size_t n);
/* Page @f was discarded: the next reference to it is a first one. */
void replay_forget(struct replay *r, frame_t f);
/* From now on there are @capacity >= 1 frames. */
void replay_resize(struct replay *r, uint64_t capacity);

#endif
