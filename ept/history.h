/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder: what happened to pages lately, always on, in a ring
 * whose size goes with that of RAM. A page's story is found by scanning it
 * backwards, which only somebody who asks pays for; noting an event is a copy
 * of half a cache line. The caller serialises (stage 2 holds its lock).
 */
#ifndef EPT_HISTORY_H
#define EPT_HISTORY_H

#include <stdbool.h>

#include "ept/addr.h"

#define HISTORY_EVENTS	  32768 /* 1 MiB: for RAM of 8 GiB, or more */
#define HISTORY_MIN	  256
#define HISTORY_NO_TIER	  0xff
#define HISTORY_NO_POLICY 0xff

enum history_what {
	HISTORY_MISSING = 1, /* a fault: the page was not in memory */
	HISTORY_MINOR, /* a fault: it was only unmapped */
	HISTORY_AHEAD, /* mapped before it was touched */
	HISTORY_AGE, /* unmapped, its bytes kept */
	HISTORY_EVICT, /* its frame was freed */
	HISTORY_DISCARD, /* the guest gave it up */
	HISTORY_STORE_ERROR, /* no tier took it: it stays */
	HISTORY_LOAD_ERROR, /* it could not be had back */
	HISTORY_KINDS
};

struct history_event {
	uint64_t gfn;
	uint64_t tsc; /* when it began */
	uint64_t slot; /* unless tier is HISTORY_NO_TIER */
	uint32_t ticks; /* how long it took; 0: not measured */
	uint8_t what;
	uint8_t source; /* enum trace_source: whence, whither */
	uint8_t tier; /* by its index */
	uint8_t policy; /* index in policies[]: who chose it (EVICT, AGE) */
};

_Static_assert(sizeof(struct history_event) == 32, "half a cache line");

struct history {
	uint64_t events; /* a power of two */
	uint64_t noted; /* since the start; the next goes to noted % events */
	struct history_event *event;
};

/* How many events to keep about @pages: half a byte a page, within bounds. */
uint64_t history_events(uint64_t pages);

/* Room for @events, a power of two. 0 or -ENOMEM. */
int history_init(struct history *h, uint64_t events);
void history_destroy(struct history *h);

void history_note(struct history *h, const struct history_event *e);

/* The last @most events of page @g, the newest first; returns how many. */
unsigned history_find(const struct history *h, gfn_t g,
		      struct history_event *to, unsigned most);

/* Events that were overwritten: before the oldest that is kept, a page may
 * have a story that nobody remembers. */
uint64_t history_lost(const struct history *h);

#endif
