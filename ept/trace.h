/* SPDX-License-Identifier: MIT */
/*
 * The trace: one fixed-size record per event, written by the thread that saw
 * it into a buffer of its own, and from there to the file when the buffer is
 * full. Nothing is ever lost: a thread whose buffer is full writes it out
 * first. A file is a struct trace_header and then records, ordered within
 * each thread; readers sort by tsc.
 */
#ifndef EPT_TRACE_H
#define EPT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC   0x3143415254464f54ull /* "TOFTRAC1" */
#define TRACE_VERSION 2
#define TRACE_NO_TIER 0xff

struct trace_header {
	uint64_t magic;
	uint32_t version;
	uint32_t record_bytes;
	uint64_t tsc_hz;
	uint64_t tsc_start; /* time zero of the run */
	/* Since version 2; a header of version 1 ends here. */
	uint32_t refs_ms; /* dense: all is unmapped this often; 0: it is not */
	uint32_t reserved;
};

enum trace_kind {
	TRACE_STAGE1 = 1, /* a fault of the guest's own tables */
	TRACE_STAGE2, /* a fault of ours: missing or minor */
	TRACE_AHEAD, /* a page mapped ahead of its first touch */
	TRACE_AGE, /* a page unmapped, its bytes kept */
	TRACE_EVICT, /* a page's frame was freed */
	TRACE_STORE, /* a page was written to a tier */
	TRACE_DISCARD, /* the guest gave a page up: its bytes are gone */
	TRACE_KINDS
};

enum trace_fault { TRACE_MISSING = 1, TRACE_MINOR };

/* Where a page's bytes came from (STAGE2, AHEAD) or went to (EVICT), or who
 * wanted them gone (DISCARD). */
enum trace_source {
	TRACE_SOURCE_NONE,
	TRACE_SOURCE_MEMORY, /* they were in memory */
	TRACE_SOURCE_ZERO,
	TRACE_SOURCE_FILE,
	TRACE_SOURCE_SWAP, /* slot says where */
	TRACE_SOURCE_CLEAN, /* evicted: equal to its stored copy */
	TRACE_SOURCE_BALLOON, /* discarded: the guest was asked for it */
	TRACE_SOURCE_REPORT, /* discarded: the guest has no use for it */
	TRACE_SOURCE_SHARED, /* the one copy that VMs share */
	TRACE_SOURCES
};

struct trace_record {
	uint64_t tsc; /* when it began */
	uint16_t kind; /* enum trace_kind */
	uint8_t fault; /* enum trace_fault (STAGE2) */
	uint8_t source; /* enum trace_source */
	uint32_t ticks; /* how long it took, TSC ticks, saturated */
	union {
		struct {
			uint64_t gpa;
			uint64_t before, after; /* the stage-2 entry */
			uint64_t slot;
			uint32_t thread; /* who faulted: its id, 0 unknown */
			uint8_t write; /* 1: the access was a write */
			uint8_t tier; /* of slot; TRACE_NO_TIER: no slot */
			uint16_t reserved;
		} stage2; /* and AHEAD, AGE, EVICT, STORE, DISCARD */
		struct {
			uint64_t gva, rip, cr3;
			uint32_t error, pid;
			uint32_t why; /* enum lab_fault_kind */
			uint32_t reserved;
		} stage1;
	};
	uint64_t reserved;
};

_Static_assert(sizeof(struct trace_record) == 64, "one cache line");

struct trace; /* an open trace file */

/*
 * Start a trace on the open file @fd, which it owns from now on. @tsc_hz may
 * be 0 when unknown; @refs_ms is as in the header. 0, or -errno: then @fd is
 * still the caller's.
 */
int trace_create(struct trace **out, int fd, uint64_t tsc_hz, uint32_t refs_ms);

/* Record @r. Any thread; NULL @t does nothing. */
void trace_emit(struct trace *t, const struct trace_record *r);

/*
 * Write out every thread's buffer and close the file. No thread may be
 * emitting any more. The first write error of the run, or 0.
 */
int trace_close(struct trace *t);

/* Now, in TSC ticks. */
static inline uint64_t trace_now(void)
{
	return __builtin_ia32_rdtsc();
}

#endif
