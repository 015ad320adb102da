/* SPDX-License-Identifier: MIT */
/* A batch of pages on their way out, for ept/ only: see evict.c. */
#ifndef EPT_EVICT_H
#define EPT_EVICT_H

#include "ept/state.h"

/* FATE_SHARED: its bytes are in the copy that VMs share, and stay there. */
enum fate { FATE_STAYS, FATE_ZERO, FATE_CLEAN, FATE_STORED, FATE_SHARED };

/* A page; those of one frame follow each other. */
struct victim {
	gfn_t gfn;
	frame_t frame;
	bool has_copy;
	slot_t copy; /* its stored copy, if it has one */
	enum fate fate;
	slot_t slot; /* FATE_STORED: its new copy */
	int error;
	uint64_t ticks; /* spent on it */
};

/* All that one needs, for what is not touched costs nothing. */
struct batch {
	bool used; /* since evict_batch_rest */
	struct batch *next; /* of those on their way out */
	unsigned n;
	struct victim victim[LEVEL_ENTRIES];
	struct victim *stored[TIER_BATCH]; /* those that io[] is about */
	struct swap_io io[TIER_BATCH];
	struct gather going; /* frames to be taken, then to be punched */
	/* What the victims' frames hold. */
	_Alignas(PAGE_SIZE) uint8_t bytes[LEVEL_ENTRIES][PAGE_SIZE];
};

/* An empty one, for evict_room() frames. NULL: no memory. */
struct batch *evict_batch_new(void);
void evict_batch_free(struct batch *b);
/* It is not needed for a while, and costs nothing meanwhile. */
void evict_batch_rest(struct batch *b);
unsigned evict_room(const struct stage2 *s);

/* The next ones with the lock held. */

/* The entry of the frame's first page. */
struct pte entry_of(const struct stage2 *s, frame_t f);
/* May frame @f be unmapped or taken now? Not while a device, another thread or
 * the next flush has to do with it. */
bool evict_movable(const struct stage2 *s, frame_t f);
/* Frame @f, neither known to the policy nor watched, is to leave with @b,
 * behind those of lower numbers. 0; -EBUSY it is not unmapped, cannot be moved
 * or is another batch's; -ENOMEM to split its entry. */
int evict_take(struct stage2 *s, struct batch *b, frame_t f);
/* A batch but @but names frame @f, though others may have touched or discarded
 * it since. */
bool evict_claimed(const struct stage2 *s, const struct batch *but, frame_t f);
/* @b, if it ever began, claims nothing any more. */
void evict_batch_ends(struct stage2 *s, const struct batch *b);
/* Frame @f, which was leaving, stays: the policy has it again. */
void evict_cancel(struct stage2 *s, frame_t f);
/* Unmap frame @f if it is mapped; its bytes stay. */
void evict_age(struct stage2 *s, frame_t f);

/*
 * Have the host unmap what the table no longer maps: a page that was unmapped
 * before this began is, once it has returned, or else is mapped again. No lock
 * held. Any thread; cheapest from one that serves a fault, whose vCPU stands
 * still and needs no TLB shootdown.
 */
void evict_flush(struct stage2 *s);

/* hints.c: unmap the frames [first, end), so that those which nobody uses just
 * now hold still. No lock held. */
void hints_settle(struct stage2 *s, frame_t first, frame_t end);

/* No lock held, by who took the pages of @b: free the frames of those that
 * nobody touches or discards meanwhile and whose bytes are safe elsewhere.
 * Returns how many pages left. */
unsigned evict_run(struct stage2 *s, struct batch *b);
/* No lock held: free the frames @going, in order, which are busy and leaving. A
 * punch that fails leaves bytes behind that nobody wants: a waste, but the page
 * is what its entry says. */
void evict_punch(struct stage2 *s, const struct gather *going);

#endif
