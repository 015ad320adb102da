/* SPDX-License-Identifier: MIT */
/*
 * The auditor: what stage 2 believes of a page, held against everybody else
 * who knows something about it.
 *
 *     table entry   memfd has   guest mapping   swap knows
 *                   its bytes   has the page    its slot
 *     mapped        yes         yes             if it kept a copy
 *     unmapped      yes         no, if flushed  if it kept a copy
 *     absent        no          no              -
 *     stored        no          no              yes
 *     poisoned      no          (its mark)      -
 *
 * (a page of a shared file has its bytes in the copy instead, also when others
 * have mapped it only,)
 * and, for all pages together: the table's counters equal a recount, no two
 * pages name one slot, swap holds as many pages as are named, and who is under
 * watch is in the watch queue. Who is mapped or unmapped, and not under watch,
 * is the policy's to choose from: it is in the lists of the policy in force,
 * and nobody else is. (Nobody can be there twice: a frame has one place.)
 *
 * It runs beside a guest at work: pages are looked at in chunks, the lock held
 * for one chunk at a time, and a page in motion (arriving, leaving, busy) is
 * passed over. What concerns all pages is counted under one hold, some
 * nanoseconds a page.
 */
#ifndef EPT_AUDIT_H
#define EPT_AUDIT_H

#include "ept/stage2.h"

enum audit_check {
	AUDIT_MEMFD,
	AUDIT_PAGEMAP,
	AUDIT_SLOT, /* its slot, or that of the copy it kept, is live */
	AUDIT_SLOT_TWICE,
	AUDIT_POLICY, /* it holds the frame, if and only if it should */
	AUDIT_WATCH, /* who is under watch is unmapped and in the queue */
	AUDIT_COUNTERS,
	AUDIT_SWAP_USED, /* but for pages in motion */
	AUDIT_CHECKS
};

/* A check's name, as reports have it. */
extern const char *const audit_name[AUDIT_CHECKS];

struct audit_report {
	/* How many times each check was made: pages, frames, slots or
	 * counters. 0: it
	 * could not be (the kernel hides pagemap; hugetlbfs has no SEEK_HOLE
	 * that would tell what a memfd of huge pages holds). */
	uint64_t checked[AUDIT_CHECKS];
	uint64_t pages, passed_over; /* in motion */
	bool diverged; /* the rest: the first divergence */
	enum audit_check check;
	gfn_t gfn; /* of a check of pages */
	enum pte_kind kind; /* what the table says of it; or the counter's */
	/* By the table, or who else names the slot; by the other side, or
	 * this page. */
	uint64_t want, got;
};

/* Audit all of RAM; stops at the first divergence. 0; -ENOTSUP paging is off;
 * -ENOMEM. Any thread, no lock held; waits for no eviction. */
int stage2_audit(struct stage2 *s, struct audit_report *r);

/* A round of faults or of evictions is over: audit, if it is time to. No lock
 * held. */
void audit_round(struct stage2 *s);

#endif
