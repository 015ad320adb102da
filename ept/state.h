/* SPDX-License-Identifier: MIT */
/*
 * The inside of stage 2, for ept/ only.
 *
 * One lock guards the table, the page array, the policy and the counters. It
 * is held for state changes, never for I/O on pages, compression or a system
 * call that touches memory. (A full trace buffer is written under it.) What lasts longer happens to pages that their state, a pin
 * or `busy` protects.
 */
#ifndef EPT_STATE_H
#define EPT_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "ept/backing.h"
#include "ept/gather.h"
#include "ept/stage2.h"
#include "ept/table.h"

/* What a page has beside its entry. Indexed by its frame: each page of RAM
 * has a frame number of its own, in use or not. */
struct page {
	slot_t copy; /* its stored copy, if has_copy */
	uint32_t pins; /* a device uses its frame: it must stay */
	bool has_copy;
	bool busy; /* being mapped, or leaving for good: wait for `settled` */
};

#define PARKED 64

struct faults {
	pthread_t thread;
	int uffd;
	int wake; /* eventfd: stop, or retry what is parked */
	uint64_t expected; /* the frame a sequential reader touches next */
	unsigned window; /* pages to map at once, this one included */
	unsigned parked; /* faults that failed and wait for a retry */
	struct parked_fault {
		gfn_t gfn;
		uint64_t flags;
		uint32_t thread;
	} park[PARKED];
	bool calibrated, retry;
	struct placement_report placement;
};

struct stage2 {
	pthread_mutex_t lock;
	pthread_cond_t settled; /* a page is arriving or busy no more */
	pthread_cond_t freed; /* a frame came free, or the limit rose */
	pthread_cond_t work; /* frames are getting short */
	pthread_cond_t calibrated;
	bool stopping;

	struct stage2_config config;
	struct ept ept;
	struct backing backing;
	struct page *page;
	uint64_t limit;
	unsigned waiting; /* threads that need a frame */
	bool told_full; /* the owner knows that nothing can leave */
	struct gather stale; /* unmapped in the table, not yet in the host */

	struct pager *pager[PAGERS], *pager_swap;
	struct policy *policy;

	struct faults faults;
	pthread_t reclaim;
	pthread_mutex_t evicting; /* one eviction batch at a time */

	struct stage2_counters count;
	struct histogram latency;
	_Atomic uint64_t peak_bytes;
};

/* stage2.c: frames and gfns, one to one. */
bool frame_of(const struct stage2 *s, gfn_t g, frame_t *f);
gfn_t gfn_of_frame(const struct stage2 *s, frame_t f);

/* page.c; the lock is held by the caller of all of these. */

/* Frames in use, pages. */
uint64_t frames_used(const struct stage2 *s);
/* Frames that may still be taken. */
uint64_t frames_free(const struct stage2 *s);
/* Frames that reclaim is to free; 0: there are enough. It begins below a low
 * mark and frees up to twice that. */
uint64_t frames_wanted(const struct stage2 *s);
/* Store the entry of a page whose 4 KiB table exists: cannot fail. */
void set_entry(struct stage2 *s, gfn_t g, struct pte e);
/*
 * Bring page @g in, so that it is mapped or unmapped and its bytes are in its
 * frame; *source says where they came from. Drops the lock to wait or to read.
 * 0; -EFAULT no RAM there; -ECANCELED stage 2 is stopping; else why the page
 * cannot be had, after telling the owner.
 */
int page_in(struct stage2 *s, gfn_t g, enum trace_source *source);
struct page *page_of(struct stage2 *s, gfn_t g);

/* fault.c and reclaim.c: their threads. */
int faults_start(struct stage2 *s);
void faults_stop(struct stage2 *s);
int reclaim_start(struct stage2 *s);
void reclaim_stop(struct stage2 *s);

/* One trace record about page @g, whose entry was @before and is @after; a slot
 * that either names is told too. */
void trace_page(struct stage2 *s, enum trace_kind kind, gfn_t g,
		struct pte before, struct pte after, struct trace_record r);

#endif
