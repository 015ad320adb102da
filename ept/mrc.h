/* SPDX-License-Identifier: MIT */
/*
 * The miss-ratio curve, on line: how many references would have missed with how
 * much resident memory, for MRC_POINTS sizes up to all of RAM, under LRU, from
 * one look at the references of a sample of the frames (ept/sample.h).
 *
 * The caller serialises (the stage-2 lock). A call for a frame outside the
 * sample costs a hash; one for a frame inside moves at most one frame for each
 * point. Nothing blocks or allocates after create. Memory: some 4 bytes a
 * sampled frame, at most twice that.
 */
#ifndef EPT_MRC_H
#define EPT_MRC_H

#include "ept/sample.h"

#define MRC_POINTS 16

struct mrc_config {
	uint64_t frames; /* of RAM */
	unsigned sampling; /* one frame in 2^sampling; 0: all */
};

struct mrc_report {
	/* Told, of the sample; the estimates are for all frames. */
	struct sampled_count references;
	struct sampled_count first; /* first ones, which no size saves */
	struct mrc_point {
		uint64_t frames; /* resident, of RAM */
		struct sampled_count misses; /* first ones are among them */
	} point[MRC_POINTS]; /* by size; the last is all of RAM */
};

struct mrc;

/* 0 or -ENOMEM. */
int mrc_create(struct mrc **out, const struct mrc_config *c);
void mrc_destroy(struct mrc *m);

/* Is @f in the sample? Then its references should be made visible. */
bool mrc_sampled(const struct mrc *m, frame_t f);
/* A reference to @f was seen. */
void mrc_reference(struct mrc *m, frame_t f);
/* The page of @f was discarded: its next reference is a first one. */
void mrc_forget(struct mrc *m, frame_t f);

/* Counts since create; a span of time is the difference of two reports. */
void mrc_report(const struct mrc *m, struct mrc_report *r);

#endif
