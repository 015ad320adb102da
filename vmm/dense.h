/* SPDX-License-Identifier: MIT */
/*
 * Numbers for whatever 64-bit keys there are: the first key is 0, the next new
 * one 1, and so on. A hash table, for gfns that lie anywhere.
 */
#ifndef VMM_DENSE_H
#define VMM_DENSE_H

#include <stdbool.h>
#include <stdint.h>

struct dense {
	struct dense_slot {
		uint64_t key;
		uint32_t number;
		bool used;
	} * slot;
	unsigned bits; /* 2^bits slots */
	uint32_t count; /* of keys */
};

/* False: no memory. */
bool dense_init(struct dense *d);
void dense_free(struct dense *d);

/* The number of @key, which may be new. False: no memory, or 2^31 keys. */
bool dense_number(struct dense *d, uint64_t key, uint32_t *number);

#endif
