/* SPDX-License-Identifier: MIT */
/*
 * The records of stored pages, for swap. A slot names a record and, by its
 * generation, one life of that record: a slot that was released is
 * recognised, not followed.
 *
 *     51          32 31 29 28          0
 *    +--------------+-----+------------+
 *    |  generation  |  0  |   record   |
 *    +--------------+-----+------------+
 *
 * Records stay in our memory; no tier ever sees one.
 *
 * Who holds a record may use it: the owner of its slot, who stores and
 * releases it, and whoever reads or moves the copy meanwhile. Its life ends
 * with the last of them. Only a mover changes where the copy is, and only
 * while nobody but the owner is there besides (record_move); the owner, who
 * may come at any time, does not read that field without holding once more.
 * The owner's hold is a bit of its own: by a count alone, a reader who stays
 * behind when the owner leaves would look like one.
 */
#ifndef EPT_RECORD_H
#define EPT_RECORD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "ept/addr.h"

/* Two keyed hashes. A page that differs fails both. */
struct tag {
	uint64_t bytes; /* of the page alone: a mover can check that */
	uint64_t who; /* of the page, and of whose it is */
};

enum record_mark {
	MARK_YOUNG = 1, /* used since the search for old copies came by */
	MARK_LOADED = 2, /* since it was stored or moved */
	MARK_WANTED = 4, /* ... more than once */
	MARK_UNFIT = 8, /* the first tier does not want this page */
};

struct record {
	uint64_t where; /* the tier's handle, or the word of a same-filled
			 * page; of a free record: the next one */
	struct tag tag;
	_Atomic uint32_t generation; /* which life of the record this is */
	_Atomic uint16_t hold; /* who holds it, and whether it moves */
	_Atomic uint8_t tier;
	_Atomic uint8_t marks;
};

_Static_assert(sizeof(struct record) == 32, "two records a cache line");

struct records {
	pthread_mutex_t lock; /* of the list of free records */
	struct record *record;
	uint64_t count; /* how many there may be */
	_Atomic uint64_t fresh; /* the first never used */
	uint64_t free, used; /* the first free one; how many are in use */
};

/* For up to @count at a time. 0 or -ENOMEM. */
int records_init(struct records *t, uint64_t count);
void records_destroy(struct records *t);

/* A record for a page to be stored, held by its owner and in tier @nowhere; or
 * NULL: all are in use. */
struct record *record_take(struct records *t, uint8_t nowhere);
/* The end of a record's life, and of the slot that names it. Nobody holds it
 * any more. */
void record_free(struct records *t, struct record *r);

/* Hold record @index if anybody does; NULL: it is free. Whose life that is has
 * to be seen. */
struct record *record_hold(const struct records *t, uint64_t index);
/* The end of that, and of the owner's hold. True: it was the last one. What the
 * record names is to be given up, and then the record. */
bool record_drop(struct record *r);
bool record_disown(struct record *r);

/* The caller and the owner hold @r, nobody else: from now on it lies at @where
 * in @tier. False: somebody else is there, or the owner is not. */
bool record_move(struct record *r, uint8_t tier, uint64_t where);

uint64_t record_index(const struct records *t, const struct record *r);
slot_t record_slot(const struct records *t, const struct record *r);
uint32_t record_index_of(slot_t slot);

/* The record that @slot names; NULL: none. Who owns the slot needs no hold;
 * for others the answer is out of date. */
struct record *record_of(const struct records *t, slot_t slot);

uint64_t records_used(struct records *t);

#endif
