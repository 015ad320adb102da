/* SPDX-License-Identifier: MIT */
/*
 * The places of a tier that stores pages as they are: a page a place. They are
 * found next-fit, which keeps a batch together on the medium. A place that
 * failed a write stays taken for good. Any thread may call.
 */
#ifndef EPT_PLACES_H
#define EPT_PLACES_H

#include <pthread.h>
#include <stdbool.h>

#include "ept/tier.h"

struct places {
	pthread_mutex_t lock; /* of all here */
	uint64_t count, next; /* how many; where to look first */
	uint64_t taken, held; /* not free; and with a page in it */
	uint64_t *map; /* a bit a place: taken */
};

/* All of @count, which is not 0, are free. 0 or -ENOMEM. */
int places_init(struct places *p, uint64_t count);
void places_destroy(struct places *p);

/* Take up to @n places. Returns how many there were. */
unsigned places_take(struct places *p, uint64_t *place, unsigned n);
void places_free(struct places *p, uint64_t place);
/* The page that was to lie in a taken place does not, and none ever will. */
void places_quarantine(struct places *p);

/* A write failed: @place is quarantined, but where there was no room. */
void places_failed(struct places *p, uint64_t place, int error);

void places_stats(struct places *p, struct tier_stats *st);

#endif
