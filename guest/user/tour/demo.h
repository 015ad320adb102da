/* SPDX-License-Identifier: MIT */
/*
 * A demonstration: a function that does something, notes what it saw, and
 * checks it. It runs in a process of its own, which may have children; the
 * struct demo lies in memory that all of them share. tour.c prints the outcome
 * as a line of TAP.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/abi.h"
#include "guest/mm/pte.h"
#include "guest/user/lib/kernel.h"
#include "guest/user/lib/sys.h"

/* Where the kernel's instructions begin. */
#define KERNEL_TEXT (KERNEL_BASE + KERNEL_LOAD)

struct demo {
	char seen[1024]; /* what it noted */
	size_t seen_bytes;
	char failure[160]; /* the first check that failed, or empty */
	char skip[80]; /* why it could not be done, or empty */
	uint64_t step; /* how far its processes are: demo_await */
	uint64_t parted; /* forks after which both sides are by themselves */
	bool done; /* it came to its end */
};

typedef void demo_fn(struct demo *d);

/* It cannot be done here: why. */
__attribute__((format(printf, 2, 3))) void demo_skip(struct demo *d,
						     const char *how, ...);

/* Is @answer a value? The kernel may have no such call: that skips. */
bool demo_can(struct demo *d, int64_t answer, const char *what);

/* Append to what was seen. */
__attribute__((format(printf, 2, 3))) void demo_note(struct demo *d,
						     const char *how, ...);

/* @got must be @want. True if so. */
#define demo_is(d, got, want)                                      \
	demo_compare(d, __FILE__, __LINE__, #got, (uint64_t)(got), \
		     (uint64_t)(want))
#define demo_true(d, condition) demo_is(d, !!(condition), 1)

bool demo_compare(struct demo *d, const char *file, int line,
		  const char *expression, uint64_t got, uint64_t want);

/* Fresh anonymous memory; NULL skips the demonstration: it is too much. */
void *demo_map(struct demo *d, size_t bytes, unsigned flags);

/*
 * The child goes on only when both have a stack of their own: what they write
 * there later causes no copy that a count would see.
 */
int64_t demo_fork(struct demo *d);

/*
 * Run @part in a child, which ends with it. The child's pid, or negative (and
 * noted).
 */
typedef void demo_part(struct demo *d, void *what);
int64_t demo_child(struct demo *d, demo_part *part, void *what);

/* Wait for the end of child @pid, which must be a good one. */
void demo_join(struct demo *d, int64_t pid);

/* Say that step @n is reached; wait until somebody has said so. */
void demo_step(struct demo *d, uint64_t n);
void demo_await(struct demo *d, uint64_t n);

/* Is there a swap disk? Else the demonstration is skipped. */
bool demo_has_swap(struct demo *d);

/* Evict the pages at @at, as reclaim would. How many are left there. */
uint64_t demo_page_out(struct demo *d, const volatile void *at, unsigned pages);

/*
 * A file of @pages pages, each full of its letter from 'A' on, on the disk and
 * in no cache. The descriptor; -EROFS, without a word, where there is no disk.
 */
int64_t demo_file(struct demo *d, const char *path, unsigned pages);
void demo_remove_file(struct demo *d, const char *path, int fd);

/* Is there a lab device? Else the demonstration is skipped. */
bool demo_has_lab(struct demo *d);

/* The command's result; a failure fails the demonstration. */
uint64_t demo_lab(struct demo *d, enum lab_command command, uint64_t arg);
struct lab_counters demo_lab_counters(struct demo *d);

/* Ask for a balloon of @pages, and wait until the kernel has given them. */
bool demo_blow(struct demo *d, uint64_t pages);

/* The walk of @at by both stages; until the next command. */
const struct lab_walk *demo_lab_walk(struct demo *d, uint64_t at);

/* Can a page that was written, @page, leave stage 2? Without swap none can. */
bool demo_has_host_swap(struct demo *d, volatile uint64_t *page);

/* The lowest cap that the hypervisor sets, or a little more: bytes. */
uint64_t demo_low_cap(void);

/* A copy, for short. */
struct sys_info demo_info(void);
struct sys_counts demo_counts(void);
struct walk demo_walk(const volatile void *at);
struct walk demo_walk_of(int64_t pid, const volatile void *at);

/* The last entry of the walk of @at: the leaf when it is mapped. */
uint64_t demo_leaf(const volatile void *at);

/* An access that may be refused. WRITE stores a ret, EXECUTE calls it. */
enum access { READ, WRITE, EXECUTE };

#define RET_OPCODE 0xc3

struct refusal {
	uint64_t vector, error, address;
};

/* Do it; true if it was refused, and why. */
bool access_refused(uint64_t at, enum access access, struct refusal *why);

/* The error code of a refused access, or ACCESS_DONE. */
#define ACCESS_DONE UINT64_MAX
uint64_t access_error(uint64_t at, enum access access);

/* operations.c: a part of demo_vma. */
void show_operations(struct demo *d);

/*
 * The other side of demo_exec: this program started anew, as EXEC_NAME, with
 * two ends of pipes as arguments.
 */
#define EXEC_NAME "exec-child"
int exec_main(int argc, char **argv);
