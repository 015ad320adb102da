/* SPDX-License-Identifier: MIT */
/*
 * Stage 2: guest RAM, the table that says where each page is, the thread that
 * serves its faults and the one that keeps frames free. Who owns a VM makes
 * one of these, hands stage2_host() to KVM and runs its vCPUs; everything
 * else happens here.
 *
 *   absent --touch--> arriving --installed--> mapped --age--> unmapped
 *      ^                 ^                      ^                |
 *      |                 |                      +---touch--------+ minor fault
 *      |                 +--touch-- stored <--stored-- leaving <-+ age
 *      +-- discarded: from any state                     |
 *                                      unmapped <-touch--+ cancels
 *
 * The resident cap counts every frame of the backing memory, and every page of
 * a shared file that is mapped here; it is hard: a fault waits for a free frame
 * rather than pass it.
 */
#ifndef EPT_STAGE2_H
#define EPT_STAGE2_H

#include "ept/histogram.h"
#include "ept/mrc.h"
#include "ept/pager_share.h"
#include "ept/placement.h"
#include "ept/policy.h"
#include "ept/pte.h"
#include "ept/shadow.h"
#include "ept/swap.h"
#include "ept/trace.h"

#define STAGE2_SHARES  4
#define STAGE2_REGIONS (2 + STAGE2_SHARES)

struct stage2;

/* Why a page cannot be had, or none can leave. */
struct stage2_failure {
	enum { FAILURE_LOAD, FAILURE_FULL } what;
	int error; /* -errno; -EBADMSG: the copy did not verify */
	gfn_t gfn; /* FAILURE_LOAD */
	bool stored; /* it was in swap: slot and tier say where */
	bool poisoned; /* and its page is now a machine check */
	slot_t slot;
	const char *source; /* the tier, else the pager */
};

/*
 * Who may know more of a fault than its thread, asked while there is a trace.
 */
struct stage2_witness {
	/* Complete @who, a WHO record, as to the thread that faulted on @g,
	 * and *vcpu as in a STAGE2 record. No lock held; the thread waits. */
	void (*see)(void *ctx, uint32_t thread, gfn_t g,
		    struct trace_record *who, uint8_t *vcpu);
	/* The fault of the STAGE2 record @r, of which see made @who, is about
	 * to be over: its thread still waits, but for TRACE_SOURCE_THERE. The
	 * lock is held. May be NULL, as may the others. */
	void (*part)(void *ctx, const struct trace_record *r,
		     const struct trace_record *who);
	/* Return when the last stage2_trace_more() call for a part() is over:
	 * the trace ends. No lock held. */
	void (*end)(void *ctx);
	void *ctx;
};

struct audit_report; /* audit.h */

struct stage2_config {
	struct stage2_region {
		gfn_t first;
		uint64_t pages;
	} region[STAGE2_REGIONS]; /* of guest memory, RAM first */
	/* The file of which a region is read-only memory, not owned, with
	 * paging and small pages only; NULL: it is RAM. */
	struct share *share[STAGE2_REGIONS];
	unsigned regions;
	/* Host memory in huge pages of 2 MiB (hugetlbfs), which move as a
	 * whole: regions and limit are multiples of 512 pages. */
	bool large_pages;
	uint64_t limit; /* the resident cap, pages; all of RAM: none */
	const struct policy_ops *policy;
	struct swap *swap; /* not owned; NULL without paging, if one likes */
	struct trace *trace; /* from the start; not owned; NULL: none */
	struct stage2_witness witness;
	/* Bytes of open files that guest memory begins as; see pager.h. */
	const struct file_extent *extent;
	size_t extents;
	bool paging; /* off: the host kernel serves first touches */
	/* Unmap all of RAM every so many milliseconds, and map nothing ahead,
	 * so that a trace holds every reference between; 0: do not. */
	unsigned refs_ms;
	bool poison; /* a page that is lost becomes a machine check */
	unsigned vcpus; /* threads that fault at the same time, at least 1 */
	/* A page was lost or swap is full; called without locks by the thread
	 * that met it, which goes on waiting afterwards. */
	void (*failed)(void *ctx, const struct stage2_failure *f);
	/* Audit at every so many rounds of faults and of evictions, and call
	 * with what came of it; as failed. 0: do not. */
	unsigned audit_every;
	void (*audited)(void *ctx, const struct audit_report *r);
	void *ctx;
};

struct stage2_counters {
	uint64_t missing, minor; /* faults of the guest, resolved */
	uint64_t zero_filled, file_filled, swapped_in; /* pages brought in */
	uint64_t swapped_out, clean_dropped, zero_elided; /* pages evicted */
	uint64_t mapped_ahead;
	uint64_t share_read, share_found; /* of shares: read from the file, or
					   * found in the copy, and mapped */
	uint64_t pages, limit, resident; /* pages; of RAM, but resident */
	uint64_t peak_bytes; /* measured: the most the memfd held */
};

/* 0 or -errno: -EPERM when userfaultfd is forbidden, -ENOTSUP when it lacks a
 * feature, -ENOMEM, ... Starts the threads; nothing stays on error. */
int stage2_create(struct stage2 **out, const struct stage2_config *c);
/*
 * End the threads and watch guest memory no longer. Whoever waits in a fault
 * goes on and may find zeros in that page: every vCPU must have been kicked, so
 * that none enters the guest again, and what it still says must be ignored.
 */
void stage2_stop(struct stage2 *s);
/* After stage2_stop. */
void stage2_destroy(struct stage2 *s);

/* The host address of guest frame @g, for a KVM memory slot. */
void *stage2_host(struct stage2 *s, gfn_t g);

/* Called first by each thread that will run a vCPU: waits for calibration and
 * places the thread by it. */
void stage2_enter_vcpu(struct stage2 *s);
/* What calibration found; waits for it. */
struct placement_report stage2_placement(struct stage2 *s);

/* Host memory that the one copy of each shared file takes, all together. */
uint64_t stage2_shared_bytes(struct stage2 *s);

/* Change the cap (pages); reclaim follows at once. Any thread. */
void stage2_set_limit(struct stage2 *s, uint64_t pages);
/* Wait until no more than the cap is resident, at most @timeout_ms. */
bool stage2_wait_limit(struct stage2 *s, unsigned timeout_ms);

/* Faults that failed are tried again (the owner repaired something). */
void stage2_retry(struct stage2 *s);

/* The state of a page, as its entry's kind. */
struct pte stage2_entry(struct stage2 *s, gfn_t g);

/* Evict page @g, or only unmap it, now. 0; -EFAULT no RAM; -EBUSY pinned or
 * touched meanwhile; -ENOTSUP paging is off; -ENOSPC and other errors of swap.
 * Waits for nobody's page but @g. Any thread, no lock held. */
int stage2_evict(struct stage2 *s, gfn_t g);
int stage2_unmap(struct stage2 *s, gfn_t g);

void stage2_counters(struct stage2 *s, struct stage2_counters *c);
/*
 * From now on, records go to @t, or nowhere (NULL); *c is what was counted
 * until then, so that between two of these the records are exactly what was
 * counted. Returns once nobody uses the old trace any more.
 */
void stage2_trace(struct stage2 *s, struct trace *t, struct stage2_counters *c);
/* A record of the caller's into the trace, if there is one; all that was
 * recorded so far into the trace's file. No lock held. */
void stage2_trace_emit(struct stage2 *s, const struct trace_record *r);
/* A record that belongs to one already recorded: it may come late, until the
 * witness says that the trace can end. No lock held. */
void stage2_trace_more(struct stage2 *s, const struct trace_record *r);
void stage2_trace_flush(struct stage2 *s);
/* A copy of the fault latencies, in TSC ticks. */
void stage2_latency(struct stage2 *s, struct histogram *h);
const char *stage2_policy(struct stage2 *s);
/* From now on @policy says who leaves; what it is told of the past is the
 * order in which the old one would have let the pages go. 0 or -ENOMEM. Takes
 * some 0.1 us a resident page, in which faults wait. */
int stage2_set_policy(struct stage2 *s, const struct policy_ops *policy);
/* What other policies, and LRU with other sizes, would have missed so far of
 * the references that were seen. More are, at the cost of some minor faults,
 * from the first question on. False: stage 2 has only just begun, or paging is
 * off. */
bool stage2_shadow(struct stage2 *s, struct shadow_report *r);
bool stage2_mrc(struct stage2 *s, struct mrc_report *r);
/* What the memfd holds right now, as the kernel counts. */
uint64_t stage2_measured_bytes(struct stage2 *s);

#endif
