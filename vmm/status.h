/* SPDX-License-Identifier: MIT */
/*
 * A snapshot of a running VM, as --stats and the control API report it, and
 * what the control API may ask of it.
 */
#ifndef VMM_STATUS_H
#define VMM_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/dma.h"
#include "devices/virtio_balloon.h"
#include "ept/audit.h"
#include "ept/census.h"
#include "ept/inject.h"
#include "ept/observe.h"
#include "ept/swap.h"
#include "guest/abi.h"
#include "vmm/attribute.h"
#include "vmm/explain.h"
#include "vmm/options.h"
#include "vmm/vm_trace.h"
#include "vmm/whatif.h"

/* Fault latencies by powers of two: up to 1, 2, 4, ... us. */
#define LATENCY_BUCKETS 21

/* A virtio device. */
struct status_device {
	const char *name; /* of its kind: blk, ... */
	uint64_t requests, bytes, errors, needs_reset;
	bool net; /* then it has: */
	uint64_t foreign_frames; /* not sent by its own address */
};

struct status {
	const char *name;
	const char *accel; /* "kvm" or "capsule" */
	const char *stage2; /* "ept", "npt" or "shadow" */
	const char *state; /* "running", "paused" or "ended" */
	char reason[160]; /* why paused, one line; "" when not */
	const char *policy;
	unsigned vcpus;
	bool large_pages;
	struct {
		int exit_code; /* once ended */
		const char *exit_reason; /* exit poweroff reboot timeout
					  * crash stopped, or "" */
		uint64_t page_faults; /* as the guest's kernel says */
		uint64_t progress; /* what its programs say they have done */
	} guest;
	struct {
		/* resident and peak: what the memfds hold, as the kernel
		 * counts; counted: what our own table says they hold, and
		 * what it maps of shared files */
		uint64_t size_bytes, resident_limit_bytes, resident_bytes,
			resident_peak_bytes, counted_bytes;
	} memory;
	struct {
		uint64_t missing, minor;
		struct {
			double p50, p99, max;
		} latency_us;
		/* Each bucket's own: bucket[i] up to 2^i us; what is slower is
		 * in the sum and in `served` only. */
		uint64_t bucket[LATENCY_BUCKETS], served;
		double sum_us;
	} faults;
	struct {
		uint64_t zero_filled, file_filled, swapped_in, swapped_out,
			clean_dropped, zero_elided, mapped_ahead;
	} pages;
	struct {
		const char *name;
		struct tier_stats stats;
	} tier[SWAP_TIERS];
	unsigned tiers;
	struct {
		const char *choice; /* same_cpu, spin, blocked or awake */
		double same_cpu_us, spin_us, blocked_us, awake_us;
		/* A wait for faults may poll so long before it blocks: at
		 * most, and now. How many ended in either way. */
		double poll_most_us, poll_now_us;
		uint64_t polled, blocked;
	} placement;
	struct pressure_report pressure;
	struct {
		uint64_t pages, bytes, us;
	} ladder[RUNGS];
	struct {
		double stall_percent; /* 0: no --mem-slo */
		uint64_t cap_bytes, lowered, raised;
	} slo;
	struct status_device device[ABI_VIRTIO_SLOTS]; /* by slot */
	unsigned devices;
	struct {
		uint64_t size_bytes; /* of guest memory; 0: no --share */
		uint64_t copy_bytes; /* host memory, once for all VMs */
		uint64_t pages_read, pages_found, writes_ignored;
	} share;
	struct dma_counters dma;
	struct iommu_counters iommu;
	uint64_t wall_us;
	uint64_t first_exit_us; /* from the start to the guest's first exit */
};

/* What one tier of swap has to bear. */
struct injected {
	const char *tier;
	struct injection now;
	struct inject_counters count;
};

/* Called by the API's thread; none blocks for longer than it says. */
struct vm_control {
	void *vm;
	struct events *events; /* what happens to it */
	void (*status)(void *vm, struct status *st);
	/* Guest memory by state; some milliseconds at most. */
	void (*census)(void *vm, struct census *c);
	/* Set the resident cap; false: one line in *why. Does not wait. */
	bool (*resident)(void *vm, uint64_t bytes, struct complaint *why);
	/* The cap that was set last, and the least there can be. */
	uint64_t (*resident_cap)(void *vm, uint64_t *floor);
	/* Returns when every vCPU has stopped, or within 1 s. */
	bool (*pause)(void *vm, struct complaint *why);
	bool (*resume)(void *vm, struct complaint *why);
	void (*stop)(void *vm);
	/* From now on @policy says which page leaves; nothing is lost. */
	bool (*policy)(void *vm, const struct policy_ops *policy,
		       struct complaint *why);
	/* What other sizes and policies would have missed so far. */
	bool (*whatif)(void *vm, struct whatif *w, struct complaint *why);
	/* How an address is translated now; asks vCPU 0, at most 1 s. */
	bool (*explain)(void *vm, const char *address, struct explain *e,
			struct complaint *why);
	/* Whose memory it is; asks every vCPU, at most 1 s, and may have to
	 * load half a GiB of swap: a second. */
	bool (*attribute)(void *vm, struct attribution *a,
			  struct complaint *why);
	/* What the balloon is and has done; @fresh: with statistics asked of
	 * the guest now, for which this waits up to 200 ms. */
	bool (*balloon)(void *vm, struct balloon_report *r, bool fresh,
			struct complaint *why);
	/* Ask the guest for so many pages of 4 KiB. Does not wait. */
	bool (*balloon_target)(void *vm, uint64_t pages, struct complaint *why);
	/* Begin and end a trace, and have what was recorded; see vm_trace.h. */
	bool (*trace_start)(void *vm, bool registers, struct complaint *why);
	bool (*trace_stop)(void *vm, struct complaint *why);
	bool (*trace_fetch)(void *vm, uint64_t first, struct trace_part *part,
			    struct complaint *why);
	/* Have the guest hint at its free pages, once. Does not wait. */
	bool (*balloon_hints)(void *vm, struct complaint *why);
	/* What is injected into tier @i of swap, and what that has done. False:
	 * there are fewer tiers. */
	bool (*injected)(void *vm, unsigned i, struct injected *to);
	/* From now on @what, which is sane; see ept/inject.h. */
	void (*inject)(void *vm, unsigned i, const struct injection *what);
	/* Hold stage 2's table against what others say; see ept/audit.h. */
	bool (*audit)(void *vm, struct audit_report *r, struct complaint *why);
};

/* The --stats report: its keys are a promise (README). Malloced; NULL: no
 * memory. @pretty: indented, ends with a newline. */
char *status_json(const struct status *st, bool pretty);

#endif
