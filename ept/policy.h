/* SPDX-License-Identifier: MIT */
/*
 * Replacement policies: which resident frame leaves next.
 *
 * The one piece of reference information stage 2 has for free is the minor
 * fault: a frame that was unmapped and is touched again was in use. A policy
 * therefore answers with one of two verdicts: "age this frame" (unmap it and
 * see whether it comes back) or "evict it".
 *
 * Every function is called with the stage-2 lock held and must not block or
 * allocate; only create may do either. Frames are numbered [0, frames). The
 * same code runs live and on recorded traces.
 */
#ifndef EPT_POLICY_H
#define EPT_POLICY_H

#include "ept/addr.h"

struct policy; /* each policy's own state */

enum verdict {
	VERDICT_NONE, /* no frame is resident */
	VERDICT_AGE, /* unmap the frame; it stays in the policy */
	VERDICT_EVICT /* the frame leaves; it is no longer in the policy */
};

struct choice {
	enum verdict verdict;
	frame_t frame; /* unless VERDICT_NONE */
};

struct policy_ops {
	const char *name;
	/* For frames [0, @frames), none resident. NULL: no memory. */
	struct policy *(*create)(uint64_t frames);
	void (*destroy)(struct policy *p);
	/* @f became resident by a reference. It was not in the policy. */
	void (*insert)(struct policy *p, frame_t f);
	/* @f, aged before, was referenced again. It is in the policy. */
	void (*touch)(struct policy *p, frame_t f);
	/* @f left for another reason (discard, balloon). It was in. */
	void (*remove)(struct policy *p, frame_t f);
	/* The next frame to age or to evict. */
	struct choice (*choose)(struct policy *p);
};

extern const struct policy_ops policy_fifo;
extern const struct policy_ops policy_clock;

/* All policies, ended by NULL; the first is the default. */
extern const struct policy_ops *const policies[];

/* The policy called @name, or NULL. */
const struct policy_ops *policy_find(const char *name);

#endif
