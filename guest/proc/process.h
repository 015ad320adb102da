/* SPDX-License-Identifier: MIT */
/*
 * A process: one thread, its memory, its files. It lives at the base of its
 * kernel stack, so that the running one is where the stack pointer points:
 *
 *   aligned to STACK_BYTES
 *    | struct process |  ...free...  <- rsp |  struct trap_frame |
 *
 * Kernel threads are processes without a space. All fields belong to who holds
 * the kernel lock (cpu/smp.h).
 */
#pragma once

#include "guest/cpu/trap.h"
#include "guest/mm/space.h"

#define STACK_BYTES   8192ul
#define PROCESS_NAME  32
#define PROCESS_FILES 16

struct file;
struct inode;
struct object;

struct process {
	uint64_t rsp; /* where it was left, while it does not run */
	struct process *next; /* in the list of all */
	struct process *queue; /* among the runnable, or the sleepers */
	struct process *parent; /* who waits for it; NULL: the kernel */
	struct space *space; /* NULL: the kernel's own */
	const void *channel; /* what it sleeps on */
	uint64_t wake_tick; /* when it wakes at the latest */
	uint64_t fs_base, gs_base;
	uint64_t ticks; /* of the timer that found it running */
	uint32_t pid; /* 0: the kernel's own */
	enum process_state state;
	unsigned cpu; /* where it runs, or ran last */
	int pinned; /* the processor it must stay on, or -1 */
	int status; /* as SYS_WAIT gives it, when a ZOMBIE */
	bool killed; /* ends as soon as it may */
	bool reclaiming; /* makes room for others: mm/reclaim.h */
	uintptr_t catch; /* SYS_CATCH; 0: a refused access kills */
	struct object *objects; /* mm/objects.c */
	struct file *files[PROCESS_FILES];
	char name[PROCESS_NAME];
};

static inline struct process *current(void)
{
	uintptr_t rsp;

	__asm__ volatile("mov %%rsp, %0" : "=r"(rsp));
	return (struct process *)(rsp & ~(STACK_BYTES - 1));
}

/* Where a trap of @p from ring 3 begins. */
static inline uintptr_t stack_top(struct process *p)
{
	return (uintptr_t)p + STACK_BYTES;
}

/* The registers with which @p entered the kernel, or will first leave it. */
static inline struct trap_frame *process_frame(struct process *p)
{
	return (struct trap_frame *)stack_top(p) - 1;
}

/*
 * A child of the current process, which will begin with @fn, in the kernel;
 * when that returns, it leaves for ring 3 with the registers in process_frame.
 * The caller has it started, by process_start or sched_add. NULL for @fn: it
 * has nothing to do there. NULL: no memory.
 */
typedef void process_fn(void);
struct process *process_new(const char *name, process_fn *fn);

/* Start @p as a program: it gets a pid that nobody had yet, the answer. */
uint32_t process_start(struct process *p);

/* A kernel thread, which never ends. Panics when there is no memory. */
void process_kernel(const char *name, process_fn *fn);

/*
 * exec.c: the current process is the program at @path from its first
 * instruction on, when it leaves the kernel, with text[@bytes] as arguments
 * (proc/api.h). What the root lacks is looked for in the kernel image, too. On
 * an error (-ENOENT, -ENOEXEC, -ENOMEM, -EIO) nothing has changed.
 */
int process_exec(const char *path, const char *text, size_t bytes);

/*
 * Map the segments of @file into a new space; its heap begins behind them.
 * *entry is where the program begins. May sleep. 0, -ENOEXEC (no ELF file that
 * we can map), -EIO, or as space_map.
 */
int elf_load(struct space *s, struct inode *file, uintptr_t *entry);

/* The process has ended: free what it holds of SYS_OBJECT. */
void objects_free(struct object **list);

/* Where FS and GS of the current process begin: its thread-local storage. */
void process_set_bases(uint64_t fs, uint64_t gs);

/* End the current process. Its memory goes now, the rest when it is waited
 * for. */
_Noreturn void process_exit(int status);

/*
 * Wait for a child of the current process to end: @pid, or any if it is -1.
 * Its pid, and *status as SYS_WAIT gives it; -ECHILD, -EINTR.
 */
int64_t process_wait(int64_t pid, int *status);

/*
 * The current process may not do what it did at @f (@va: where, for a page
 * fault): it goes on where SYS_CATCH said, or it is killed.
 */
void process_refuse(struct trap_frame *f, uintptr_t va);

/* Memory has failed under the access at @f: a program that made it ends with
 * EXIT_MEMORY_LOST; in the kernel it is the end of the run. */
void machine_check(struct trap_frame *f);

/* @p will end as soon as it may. */
void process_kill(struct process *p);

/* The current process is to end: who sleeps in a loop gives up with -EINTR. */
static inline bool process_dying(void)
{
	return current()->killed;
}

/* All, linked by next, newest first. */
extern struct process *processes;
