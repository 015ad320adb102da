/* SPDX-License-Identifier: MIT */
/*
 * Shadow policies: what if another policy ran? Any set of them runs on the same
 * references as the live one, as ghosts: without memory, on a sample of the
 * frames (ept/sample.h), with the cap scaled down alike.
 *
 * The caller serialises (the stage-2 lock). A call for a frame outside the
 * sample costs a hash; one for a frame inside runs each policy once. Nothing
 * blocks or allocates after create. Memory: for each policy some 10 bytes a
 * sampled frame, at most twice that; with one frame in 64 and eight policies,
 * at most 2.5 bytes a page of RAM.
 */
#ifndef EPT_SHADOW_H
#define EPT_SHADOW_H

#include "ept/policy.h"
#include "ept/sample.h"

#define SHADOW_POLICIES 8 /* the most */

struct shadow_config {
	uint64_t frames; /* of RAM */
	unsigned sampling; /* one frame in 2^sampling; 0: all */
	uint64_t capacity; /* the resident cap, frames of RAM */
	const struct policy_ops *const *policies; /* ended by NULL */
};

struct shadow_report {
	uint64_t frames, sampled; /* of RAM; of these in the sample */
	/* Of the sample only those that were told; so are the estimates: what
	 * would have been told if all frames were in it. */
	struct sampled_count references;
	unsigned policies;
	struct shadow_policy {
		const char *name;
		struct sampled_count misses;
	} policy[SHADOW_POLICIES];
};

struct shadow;

/* 0, -ENOMEM, -EINVAL: more than SHADOW_POLICIES. */
int shadow_create(struct shadow **out, const struct shadow_config *c);
void shadow_destroy(struct shadow *s);

/* Is @f in the sample? Then its references should be made visible. */
bool shadow_sampled(const struct shadow *s, frame_t f);
/* A reference to @f was seen, a miss of the live policy or not. */
void shadow_reference(struct shadow *s, frame_t f);
/* The page of @f was discarded: its next reference is a first one. */
void shadow_forget(struct shadow *s, frame_t f);
/* The resident cap is @capacity frames of RAM now. */
void shadow_resize(struct shadow *s, uint64_t capacity);

/* Counts since create; a span of time is the difference of two reports. */
void shadow_report(const struct shadow *s, struct shadow_report *r);

#endif
