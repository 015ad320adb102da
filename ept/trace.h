/* SPDX-License-Identifier: MIT */
/*
 * The trace: fixed-size records, written by the thread that saw what they tell
 * into a buffer of its own, and from there to the file when the buffer is full.
 * A file is a struct trace_header and then records, ordered within each
 * thread; readers sort by tsc.
 *
 * One stage-2 fault is up to three records of one number: STAGE2, what was done;
 * WHO, for whom and how long each part took; REGISTERS, what the vCPU itself
 * said on its way back into the guest.
 */
#ifndef EPT_TRACE_H
#define EPT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_MAGIC   0x3143415254464f54ull /* "TOFTRAC1" */
#define TRACE_VERSION 3
#define TRACE_NO_TIER 0xff
#define TRACE_NO_VCPU 0
#define TRACE_NOWHERE UINT64_MAX /* no address */

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
	/* Since version 3. */
	TRACE_WHO, /* more of the STAGE2 record with this number */
	TRACE_REGISTERS, /* and more */
	TRACE_COUNTER, /* a counter of the VM's, before the trace and after */
	TRACE_DECISION, /* what the policy was told, or answered */
	TRACE_CAP, /* the cap was changed */
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
	TRACE_SOURCE_THERE, /* another fault had just brought the page: who
			     * faulted may have gone on before it was asked */
	TRACE_SOURCES
};

/* A trace from the start has all of them, in the order in which they were. */
enum trace_decision {
	DECISION_POLICY = 1, /* a new one: name, value frames */
	DECISION_CAPACITY, /* value frames */
	DECISION_INSERT,
	DECISION_TOUCH,
	DECISION_REMOVE,
	DECISION_CHOOSE /* it gave this frame up */
};

/* How it is known who faulted (WHO, REGISTERS): bits. */
enum trace_how {
	TRACE_BY_RING = 1, /* cr3, pid: the bundled guest published them */
	TRACE_BY_REGISTERS =
		2, /* cr3, rip: the vCPU's own, behind the access */
	TRACE_BY_WALK =
		4, /* gva: the guest's tables lead from it to the page */
	TRACE_BY_IDENTITY = 8 /* gva: paging was off, so it is the gpa */
};

struct trace_record {
	uint64_t tsc; /* when it began */
	uint16_t kind; /* enum trace_kind */
	union {
		uint8_t fault; /* enum trace_fault (STAGE2) */
		uint8_t level; /* WHO, REGISTERS: see there */
	};
	union {
		uint8_t source; /* enum trace_source */
		uint8_t how; /* WHO, REGISTERS: enum trace_how */
	};
	uint32_t ticks; /* how long it took, TSC ticks, saturated */
	union {
		struct {
			uint64_t gpa;
			uint64_t before, after; /* the stage-2 entry */
			uint64_t slot;
			uint32_t thread; /* who faulted: its id, 0 unknown */
			uint8_t write; /* 1: the access was a write */
			uint8_t tier; /* of slot; TRACE_NO_TIER: no slot */
			uint8_t vcpu; /* of thread, from 1 */
			uint8_t reserved;
		} stage2; /* and AHEAD, AGE, EVICT, STORE, DISCARD */
		struct {
			uint64_t gva, rip, cr3;
			uint32_t error, pid;
			uint32_t why; /* enum lab_fault_kind */
			uint32_t reserved;
		} stage1;
		/* level: of the guest's table that the page holds, 0: it is
		 * data. gva of a table: the lowest that it serves. tsc is the
		 * fault's; ticks: what it cost to find all this out. */
		struct {
			uint64_t gva, cr3; /* by how, or TRACE_NOWHERE */
			uint64_t victim; /* who left for its frame */
			uint32_t pid;
			/* Ticks: until it had a frame, then until it had its
			 * bytes, then until it was mapped. */
			uint32_t wait, fetch, install;
		} who;
		struct {
			uint64_t gva, cr3; /* as above */
			uint64_t rip; /* of the access, or TRACE_NOWHERE */
			uint32_t wake; /* ticks from STAGE2's end to here */
			uint32_t ring; /* the guest's, at rip */
			uint64_t reserved;
		} registers;
		struct {
			uint64_t frame, value;
			uint64_t gpa; /* of the frame's first page */
			char name[16]; /* of the policy */
		} decision; /* fault: enum trace_decision */
		struct {
			char name[24]; /* as in --stats */
			uint64_t before, after;
		} counter;
		struct {
			uint64_t before, after; /* pages */
		} cap;
	};
	uint32_t number; /* of the fault, from 1; 0: none */
	uint32_t queued; /* WHO: ticks from its reading to its service */
};

_Static_assert(sizeof(struct trace_record) == 64, "one cache line");

struct trace; /* an open trace file */

/*
 * Start a trace on the open file @fd, which it owns from now on. @tsc_hz may
 * be 0 when unknown; @refs_ms is as in the header. 0, or -errno: then @fd is
 * still the caller's.
 */
int trace_create(struct trace **out, int fd, uint64_t tsc_hz, uint32_t refs_ms);

/* Record @r. Any thread. */
void trace_put(struct trace *t, const struct trace_record *r);

/* The same, if there is a trace. */
static inline void trace_emit(struct trace *t, const struct trace_record *r)
{
	if (__builtin_expect(t != NULL, 0))
		trace_put(t, r);
}

/*
 * For a file that is read while it is written: have at most @bytes of records
 * in it that lie behind the first trace_read() ones. What would be more is
 * lost, and counted.
 */
void trace_bound(struct trace *t, uint64_t bytes);
void trace_read(struct trace *t, uint64_t records);
uint64_t trace_lost(struct trace *t);
/* Records in the file so far. */
uint64_t trace_written(struct trace *t);

/* Write out every thread's buffer. Nobody is emitting meanwhile. */
void trace_flush(struct trace *t);

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

/* As a record has room for. */
static inline uint32_t trace_ticks(uint64_t ticks)
{
	return (uint32_t)(ticks < UINT32_MAX ? ticks : UINT32_MAX);
}

static inline uint32_t trace_since(uint64_t start)
{
	return trace_ticks(trace_now() - start);
}

#endif
