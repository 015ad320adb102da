/* SPDX-License-Identifier: MIT */
/* The one process: a program, its memory, and how it ends. */
#ifndef GUEST_PROC_PROCESS_H
#define GUEST_PROC_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/cpu/trap.h"
#include "guest/mm/space.h"
#include "guest/proc/program.h"

#define FILES 16u /* that one process can have open */

struct file;

struct process {
	struct space space;
	const char *name;
	uint32_t pid;
	bool quiet; /* being killed is an expected answer */
	uintptr_t catch; /* SYS_CATCH; 0: a refused access kills */
	uintptr_t heap, heap_end;
	struct file *files[FILES]; /* by descriptor; NULL: not open */
};

extern struct process process;

/* Make the process's address space, empty but for the gate. */
void process_init(void);

/*
 * Run at @rip in ring 3 until it exits or is killed; its status or
 * EXIT_KILLED. process_run loads a program first.
 */
int process_enter(uintptr_t rip, uintptr_t rsp);
int process_run(const struct program *program, int argc,
		const char *const *argv);

/* The access at @f is refused (@va: where, for page faults): catch or kill. */
void process_fault(struct trap_frame *f, uintptr_t va);

/* It was killed: what waits for long must give up, with -EINTR. */
bool process_dying(void);

/* Grow the heap; where the new part begins, or -ENOMEM. */
int64_t process_sbrk(size_t bytes);

#endif
