/* SPDX-License-Identifier: MIT */
/*
 * What happens to a VM, for who listens: the last EVENTS of it, each with a
 * number that counts them from 1. Who tells never waits for who listens; a
 * listener that is EVENTS behind has lost some, and is told so.
 */
#ifndef VMM_EVENTS_H
#define VMM_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define EVENTS 1024 /* of 256 bytes: what a slow listener can cost */

struct events;

/* NULL: no memory. */
struct events *events_create(void);
void events_destroy(struct events *e);

/* @what has happened, one word; in @detail more, or "". Any thread; @e may be
 * NULL: nobody hears it. */
void events_tell(struct events *e, const char *what, const char *detail);

/* The number that the next one will have. */
uint64_t events_next(struct events *e);
/* Were some from *@from on forgotten? Then that is the first that is not. */
bool events_lost(struct events *e, uint64_t *from);

/* Those from @from on, at most @most: a list of objects with seq, time_us (Unix
 * time), event and detail. */
json_t *events_list(struct events *e, uint64_t from, unsigned most);
/* Add what another's events_list gave, with its numbers. How many it had. */
unsigned events_add(struct events *e, json_t *list);

/* Readable when something was told since it was last read: an eventfd. */
int events_fd(const struct events *e);

#endif
