/* SPDX-License-Identifier: MIT */
/*
 * The traces of a running VM: one into a file for the whole run (--trace), or
 * one at a time that is asked for, which is kept in memory until it is fetched,
 * and in a bounded part of it: what finds no room is lost, and counted. Either
 * ends with the VM's counters as they were at its begin and end.
 */
#ifndef VMM_VM_TRACE_H
#define VMM_VM_TRACE_H

#include "ept/stage2.h"
#include "vmm/options.h"

#define TRACE_PART 704 /* records fetched at a time: 44 KiB */

enum live_state { LIVE_NONE, LIVE_RECORDING, LIVE_STOPPED };

struct vm_trace {
	struct trace *file; /* --trace; NULL: none */
	struct stage2_counters begin; /* of the trace under way */
	/* What was asked for; used by the control API's thread only. */
	struct trace *live; /* while RECORDING */
	enum live_state state;
	int fd; /* of its memory, once there was any */
	uint64_t records; /* in it, when STOPPED */
	uint64_t fetched, lost;
	int64_t fetched_ms; /* when; or when it began */
};

/* What can be had of a trace. */
struct trace_part {
	enum live_state state;
	struct trace_header header;
	uint64_t records, lost; /* so far, of the trace */
	uint64_t first, n; /* of these: */
	struct trace_record record[TRACE_PART];
};

struct vm;

/* --trace, before the VM runs; and its end, when it runs no more. */
bool vm_trace_open(struct vm *vm, struct complaint *why);
bool vm_trace_begin(struct vm *vm, struct complaint *why);
void vm_trace_end(struct vm *vm);

/* The control API's; false: one line in *why. A trace that nobody has fetched
 * from for 5 s does not keep another from starting. */
bool vm_trace_start(struct vm *vm, bool registers, struct complaint *why);
bool vm_trace_stop(struct vm *vm, struct complaint *why);
/* From record @first on; what lies before it is not needed any more. */
bool vm_trace_fetch(struct vm *vm, uint64_t first, struct trace_part *part,
		    struct complaint *why);

#endif
