/* SPDX-License-Identifier: MIT */
/*
 * Who runs: round-robin over one queue of runnable processes, which all
 * processors share. A process runs until it sleeps, or until the timer finds
 * it in ring 3 while another waits. The kernel itself is never pre-empted.
 *
 * Who waits sleeps on a channel, any address: usually that of what is waited
 * for.
 *
 *	while (!it->done)
 *		sleep_on(it);
 *
 * The kernel lock is given up while asleep, so whatever was true before may
 * have changed; nothing changes between the check and the sleep. A sleeper may
 * wake for nothing: the loop is not optional.
 */
#pragma once

#include "guest/proc/process.h"

/* Add @p to the queue; a processor that idles will notice. */
void sched_add(struct process *p);

/* Run others; back when it is our turn, at once if nobody else wants. */
void sched_yield(void);

/*
 * In the middle of something long, where one could as well sleep: interrupts
 * that wait are taken, then others have their turn. False: give up, the
 * process is to end.
 */
bool sched_breathe(void);

/* From any process, not from an interrupt. */
void sleep_on(const void *channel);

/* The same, awake at the latest when lapic_ticks has reached @tick. */
void sleep_until(const void *channel, uint64_t tick);

/* Wake all who sleep on @channel. From anywhere in the kernel. */
void wake(const void *channel);

/* Run others, until somebody adds the current process again. */
void schedule(void);

/*
 * The timer's tick on this processor. First without the kernel lock: true if
 * the processor idles and nobody is to be woken, else with it.
 */
bool sched_idle_tick(void);
void sched_tick(void);

/* What a processor does when nobody wants it. Takes the kernel lock. */
_Noreturn void sched_idle(void);

/*
 * trap.S: save the callee's registers and the stack pointer in *@save, go on
 * where @rsp was left.
 */
void context_switch(uint64_t *save, uint64_t rsp);

/* Where a new process goes on (trap.S). */
void process_begin(void);

/* What context_switch finds on a stack, lowest first. */
struct switch_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t rip;
};
