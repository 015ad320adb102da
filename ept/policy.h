/* SPDX-License-Identifier: MIT */
/*
 * Replacement policies: which resident frame leaves next. Each is a textbook
 * algorithm and nothing else; the same code runs live, as a shadow beside the
 * live one, and in `replay`.
 *
 * Frames are numbered [0, frames) and stand for pages: a page keeps its number
 * while it is away, so that a policy may remember who left (its ghosts).
 *
 * Live, a frame that choose gives is not lost yet. It is *aged*: unmapped,
 * with its bytes in place, it waits in a queue. If the guest touches it there
 * it is rescued, and stage 2 refers to it twice: a rescue is how the
 * live system learns of references, beside the misses themselves. References
 * to mapped pages are not seen. In replay every reference is.
 *
 * All but init and fini are called with the stage-2 lock held; they neither
 * block nor allocate, and take constant time when averaged over the calls.
 */
#ifndef EPT_POLICY_H
#define EPT_POLICY_H

#include <stddef.h>

#include "ept/addr.h"

/* The first member of each policy's own state. */
struct policy {
	const struct policy_ops *ops;
	/* How many frames may be resident, at least 1: queues and ghosts are
	 * sized by it. The owner may change it between any two calls. */
	uint64_t capacity;
};

struct policy_ops {
	const char *name;
	size_t size; /* of its state, which is all zero at first */
	/* For frames [0, @frames), none resident. False: no memory, or more
	 * frames than 32 bits number; fini follows all the same. */
	bool (*init)(struct policy *p, uint64_t frames);
	void (*fini)(struct policy *p);
	/* @f was referenced, and that was seen: by a miss if it is not
	 * resident, as it is from now on; it may have been a ghost. */
	void (*refer)(struct policy *p, frame_t f);
	/* Is @f resident, by the lists that choose takes from? For who audits;
	 * changes nothing. */
	bool (*holds)(struct policy *p, frame_t f);
	/* @f left for another reason (discard, balloon): forget it, resident
	 * or ghost. A frame that is neither may be named too. */
	void (*remove)(struct policy *p, frame_t f);
	/*
	 * Take the next frame to leave out of the policy, which may remember
	 * it as a ghost. @coming is the frame whose miss makes room, and which
	 * is referred to next; NULL when room is made ahead of need. False: no
	 * frame is resident.
	 */
	bool (*choose)(struct policy *p, const frame_t *coming,
		       frame_t *victim);
};

extern const struct policy_ops policy_fifo;
extern const struct policy_ops policy_clock;
extern const struct policy_ops policy_lru;
extern const struct policy_ops policy_2q;
extern const struct policy_ops policy_arc;
extern const struct policy_ops policy_s3fifo;
extern const struct policy_ops policy_sieve;
extern const struct policy_ops policy_random;

/* All policies, ended by NULL; the first is the default. */
extern const struct policy_ops *const policies[];

/* The policy called @name, or NULL. */
const struct policy_ops *policy_find(const char *name);

/* NULL: as init says. Destroying NULL does nothing. */
struct policy *policy_create(const struct policy_ops *ops, uint64_t frames,
			     uint64_t capacity);
void policy_destroy(struct policy *p);

#endif
