/* SPDX-License-Identifier: MIT */
/*
 * A demonstration: a function that does something, notes what it saw, and
 * checks it. tour.c prints the outcome as a line of TAP.
 */
#ifndef GUEST_USER_TOUR_DEMO_H
#define GUEST_USER_TOUR_DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/mm/pte.h"
#include "guest/user/lib/sys.h"

struct demo {
	char seen[640]; /* what it noted */
	size_t seen_bytes;
	char failure[160]; /* the first check that failed, or empty */
	const char *skip; /* why it could not be done, or NULL */
};

typedef void demo_fn(struct demo *d);

/* Append to what was seen. */
__attribute__((format(printf, 2, 3))) void demo_note(struct demo *d,
						     const char *how, ...);

/* @got must be @want. True if so. */
#define demo_is(d, got, want) \
	demo_compare(d, __FILE__, __LINE__, #got, (uint64_t)(got), (want))
#define demo_true(d, condition) demo_is(d, !!(condition), 1)

bool demo_compare(struct demo *d, const char *file, int line,
		  const char *expression, uint64_t got, uint64_t want);

/* Fresh anonymous memory; NULL skips the demonstration: it is too much. */
void *demo_map(struct demo *d, size_t bytes, unsigned flags);

/* A copy, for short. */
struct sys_info demo_info(void);
struct sys_counts demo_counts(void);
struct sys_walk demo_walk(const volatile void *at);

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

#endif
