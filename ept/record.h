/* SPDX-License-Identifier: MIT */
/*
 * The records of stored pages, for swap.c. A slot names a record and, by its
 * generation, one life of that record: a slot that was released is
 * recognised, not followed.
 *
 *     51          32 31           0
 *    +--------------+--------------+
 *    |  generation  |    record    |
 *    +--------------+--------------+
 *
 * Records stay in our memory; no tier ever sees one.
 */
#ifndef EPT_RECORD_H
#define EPT_RECORD_H

#include <pthread.h>
#include <xxhash.h>

#include "ept/addr.h"

struct record {
	uint64_t where; /* the tier's handle; of a free record: the next one */
	XXH128_hash_t tag; /* who the page is, and its bytes */
	uint32_t generation; /* which life of the record this is */
	uint8_t tier;
	bool used;
};

_Static_assert(sizeof(struct record) == 32, "two records a cache line");

struct records {
	pthread_mutex_t lock; /* of the list of free records */
	struct record *record;
	uint64_t count, fresh; /* that may be; the first never used */
	uint64_t free, used; /* the first free one; how many are in use */
};

/* 0 or -ENOMEM. */
int records_init(struct records *t);
void records_destroy(struct records *t);

/* A record for a page to be stored, or NULL: all are in use. */
struct record *record_take(struct records *t);
/* The end of a record's life, and of the slot that names it. */
void record_free(struct records *t, struct record *r);

uint64_t record_index(const struct records *t, const struct record *r);
slot_t record_slot(const struct records *t, const struct record *r);

/* The record that @slot names; NULL: none. Who owns the slot needs no lock;
 * for others the answer would be out of date anyway. */
struct record *record_of(const struct records *t, slot_t slot);

uint64_t records_used(struct records *t);

#endif
