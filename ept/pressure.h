/* SPDX-License-Identifier: MIT */
/*
 * Pressure: how much time the vCPUs lose waiting for stage 2, in the shape of
 * Linux's PSI (kernel/sched/psi.c, Documentation/accounting/psi.rst).
 *
 *     some   at least one vCPU waits for a page
 *     full   every vCPU does
 *
 * A share of wall time each, averaged over 10, 60 and 300 s, and a total. As
 * in the kernel an average moves every 2 s, by avg = share + (avg - share) *
 * exp(-2 s / window); the kernel rounds to 1/2048, this does not.
 *
 * A vCPU is known by its thread's id, as userfaultfd reports it; a fault of
 * any other thread (an asynchronous page fault of KVM's) stalls nobody. Time
 * counts from when the fault is read, so it lacks the way here. Pure
 * accounting: the caller serialises and brings the time, monotonic
 * nanoseconds that never run backwards.
 */
#ifndef EPT_PRESSURE_H
#define EPT_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

#define PRESSURE_VCPUS	   64
#define PRESSURE_PERIOD_NS UINT64_C(2000000000)

enum pressure_kind { PRESSURE_SOME, PRESSURE_FULL, PRESSURE_KINDS };

struct pressure_line {
	double avg10, avg60, avg300; /* percent */
	uint64_t total_us;
};

struct pressure_report {
	struct pressure_line some, full;
};

struct pressure {
	unsigned vcpus, stalled;
	struct {
		uint32_t thread;
		bool stalled;
	} vcpu[PRESSURE_VCPUS];
	uint64_t now; /* what lies before it is in the totals */
	uint64_t period; /* when the current period began */
	struct {
		uint64_t total; /* ns */
		uint64_t folded; /* the part of it that is in the averages */
		double avg[3];
	} kind[PRESSURE_KINDS];
};

void pressure_init(struct pressure *p, uint64_t now);

/* Thread @thread runs a vCPU from now on. One too many is not counted. */
void pressure_add_vcpu(struct pressure *p, uint32_t thread, uint64_t now);

/* @thread begins to wait for a page; it waits for one at most, so a begin
 * within a wait (a signal made it fault again) changes nothing. */
void pressure_begin(struct pressure *p, uint32_t thread, uint64_t now);
/* Its page has come. An end without a begin changes nothing. */
void pressure_end(struct pressure *p, uint32_t thread, uint64_t now);

struct pressure_report pressure_read(struct pressure *p, uint64_t now);

#endif
