/* SPDX-License-Identifier: MIT */
/*
 * A trace file, read whole and put in order of time; and what its records say
 * together of one event.
 */
#ifndef VMM_TRACE_FILE_H
#define VMM_TRACE_FILE_H

#include "ept/trace.h"

#define TRACE_COUNTERS 32

struct trace_file {
	struct trace_header header;
	/* Events, by tsc; records of one tsc as they lie in the file. */
	const struct trace_record **record;
	size_t records;
	/* More of them, [faults], by number - 1; NULL: there is none. */
	const struct trace_record **who, **registers;
	size_t faults;
	/* What the policy was told, by tsc; only of a run traced from its
	 * start. */
	const struct trace_record **decision;
	size_t decisions;
	/* Changes of the cap, by tsc. */
	const struct trace_record **cap;
	size_t caps;
	const struct trace_record *counter[TRACE_COUNTERS];
	unsigned counters;
	size_t total; /* records of all kinds */
	size_t rest; /* bytes of a last record that is not whole */
	char *bytes;
};

/* Read the trace at @path. What is wrong with it, or NULL. */
const char *trace_file_read(struct trace_file *t, const char *path);
void trace_file_free(struct trace_file *t);

/* Ticks that an event took, by what was done; in the order in which it is. */
enum trace_stage {
	STAGE_QUEUED, /* read, but not yet begun with */
	STAGE_WAIT, /* for a frame, or others that are at the page */
	STAGE_FETCH,
	STAGE_INSTALL,
	STAGE_WAKE, /* with registers only */
	TRACE_STAGES
};

/* All that is known of one event. */
struct trace_event {
	const struct trace_record *r;
	bool has_gpa, has_gva, has_cr3, has_rip, has_pid, has_split, has_wake,
		has_victim;
	uint64_t gpa, gva, cr3, rip, victim;
	uint32_t pid;
	uint8_t how; /* enum trace_how, of a STAGE2 */
	uint8_t level; /* of the guest's table that is in the page; 0: data */
	int vcpu; /* -1: unknown */
	uint32_t ticks[TRACE_STAGES];
	uint32_t cost; /* ticks spent to find out who it was */
};

void trace_file_event(const struct trace_file *t, size_t i,
		      struct trace_event *e);

/* The counter @name; NULL: the file does not have it. */
const struct trace_record *trace_file_counter(const struct trace_file *t,
					      const char *name);

/* Microseconds from the header's start to @tsc; without a clock, ticks. */
double trace_file_us(const struct trace_file *t, uint64_t tsc);
double trace_ticks_us(const struct trace_file *t, uint64_t ticks);

#endif
