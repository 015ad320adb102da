/* SPDX-License-Identifier: MIT */
/* The resolver of faults, for ept/fault.c: see serve.c. The lock is held by the
 * caller of both; serve drops it meanwhile. */
#ifndef EPT_SERVE_H
#define EPT_SERVE_H

#include "ept/state.h"

struct uffd_msg;

/* Serve one fault: its page is mapped, and its thread woken. False: the page
 * cannot be had, and its owner knows. It is counted once, however often it has
 * to be tried. */
bool serve_fault(struct server *me, struct parked_fault *p);

/* fault.c: serve what was read, or park it until the owner says retry. The lock
 * is held, and dropped meanwhile. */
void fault_handle(struct server *me, const struct uffd_msg *m);

/* spare.c. The lock is held by the caller of begin and end: it is at a fault
 * from one to the other. */
int spares_start(struct stage2 *s);
void spares_join(struct stage2 *s);
void spare_begin(struct server *me);
void spare_end(struct server *me);

/* Have who waits for frame @f fault again. */
void serve_again(struct stage2 *s, frame_t f);

/* fault_trace.c, in this order; the lock is held. */

/* Find out who faulted, if that is to be recorded: me->who. Drops the lock.
 * When that was done, TSC. */
uint64_t fault_see(struct server *me, const struct parked_fault *p);
/* The STAGE2 record @r, numbered: me->who is to follow. */
void fault_trace(struct server *me, struct parked_fault *p,
		 struct trace_record r, struct pte from, struct pte to);
/* Its page was mapped, since @start. */
void fault_tell(struct server *me, uint64_t start);
/* This attempt is over: a trace may wait for the end of all that nobody saw. */
void fault_end(struct server *me);

#endif
