/* SPDX-License-Identifier: MIT */
/*
 * What stage 2 remembers for those who ask why: pressure, the flight
 * recorder, the reclaim ladder. The observer lives in struct stage2, under its
 * lock; the fault service and eviction tell it what happens, one line each.
 */
#ifndef EPT_OBSERVE_H
#define EPT_OBSERVE_H

#include "ept/history.h"
#include "ept/ladder.h"
#include "ept/pressure.h"
#include "ept/stage2.h"
#include "ept/trace.h"

struct observer {
	struct pressure pressure;
	struct history history;
	struct ladder ladder;
};

/* For a stage 2 of @pages. 0 or -ENOMEM. */
int observe_init(struct observer *o, uint64_t pages);
void observe_destroy(struct observer *o);

/* The hooks; the lock is held by the caller of all of these. */

/* The event that the trace record @r tells; @r is complete. @policy is the one
 * in force. Not for STORE, which EVICT repeats when it is sure. */
void observe_record(struct observer *o, struct swap *swap,
		    const struct policy_ops *policy,
		    const struct trace_record *r);
/* Page @g, whose entry is @e, could not be had or be stored. */
void observe_error(struct observer *o, struct swap *swap,
		   enum history_what what, gfn_t g, struct pte e);
/* The calling thread is about to run a vCPU. */
void observe_vcpu(struct observer *o);
/* A fault of @thread's was read; its page is about to be mapped. */
void observe_stall(struct observer *o, uint32_t thread);
void observe_resume(struct observer *o, uint32_t thread);

/* The questions; any thread, no lock held. */

#define PAGE_EVENTS 16

/* One page of RAM. */
struct page_report {
	struct pte entry;
	unsigned level; /* where the table writes it down */
	bool has_copy; /* in memory, and its stored copy is kept: */
	slot_t copy;
	bool busy;
	unsigned events; /* the newest first */
	struct history_event event[PAGE_EVENTS];
	uint64_t lost; /* events that were overwritten, of any page */
	uint64_t now; /* TSC */
};

/* False: no RAM at @g. */
bool stage2_page(struct stage2 *s, gfn_t g, struct page_report *r);
/* guest_read within one page, but false when it needs a frame and none is
 * free: for who must not wait until one is. */
bool stage2_peek(struct stage2 *s, gpa_t at, void *to, size_t len);
/* The same for who must not disturb what it looks at: nothing moves, and what
 * is just being moved is waited for. 0; -EFAULT no RAM there, or its bytes are
 * to come from a file; -EIO they cannot be had, or not within a second. */
int stage2_look(struct stage2 *s, gpa_t at, void *to, size_t len);
struct pressure_report stage2_pressure(struct stage2 *s);
void stage2_ladder(struct stage2 *s, struct ladder *l);

#endif
