/* SPDX-License-Identifier: MIT */
/*
 * Mapping ahead: which pages to bring along with one that was touched.
 *
 * What leaves the fast path costs the same for one page as for many, so a
 * reader that moves on steadily should fault once a window, not once a page.
 * A *stream* is such a reader: where its next fault is expected, and in what
 * steps it goes. A fault where a stream expected one is a hit and doubles the
 * stream's window; any other fault begins a new stream, in place of the one
 * that was idle longest. Its step is what the majority of the last faults
 * went by (Boyer and Moore's vote, as Leap does it: Maruf and Chowdhury, ATC
 * 2020), else one page. A new stream brings nothing until it is hit, so random
 * access pays for nothing; and one that is dropped in full growth halves what
 * the next ones begin with.
 *
 * Pure bookkeeping: the caller serialises all calls.
 */
#ifndef EPT_AHEAD_H
#define EPT_AHEAD_H

#include "ept/addr.h"

#define AHEAD_MAX     256 /* pages of one window */
#define AHEAD_STREAMS 8
#define AHEAD_STEPS   8 /* how many faults vote on a step */

struct ahead {
	struct ahead_stream {
		frame_t next; /* where its next fault is expected */
		int64_t step; /* frames; 0: the stream is unused */
		unsigned window; /* pages it was given last */
		uint64_t used; /* when: in faults */
	} stream[AHEAD_STREAMS];
	uint64_t faults;
	frame_t last; /* the latest fault */
	int64_t step[AHEAD_STEPS]; /* between the latest faults, a ring */
	unsigned begin; /* pages a stream is given at its first hit */
};

void ahead_init(struct ahead *a);

/* A reader's plan: pages first, first + step, ... */
struct ahead_plan {
	int64_t step;
	unsigned pages; /* the touched one included: at least 1 */
	unsigned stream;
};

/* Frame @f was touched and was not mapped. */
struct ahead_plan ahead_fault(struct ahead *a, frame_t f);

/* Of the plan for @f only @pages were brought along, or all: the stream's next
 * fault is expected behind them. */
void ahead_brought(struct ahead *a, struct ahead_plan plan, frame_t f,
		   unsigned pages);

#endif
