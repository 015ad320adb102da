/* SPDX-License-Identifier: MIT */
/*
 * An array of small numbers, each in as many bits as the largest needs. What
 * is kept for every page of RAM is kept so: 4 bytes for a number below 16384
 * would be half air. All are zero at first, and memory is taken only where a
 * number is not.
 *
 *     byte[]   76543210 76543210 76543210 ...      numbers of 11 bits:
 *              11111111 22222111 33222222          0, 1, 2 from the right
 *
 * A number is read and written with the eight bytes it begins in, so two
 * threads must not write neighbours at a time: the caller serialises.
 */
#ifndef EPT_PACKED_H
#define EPT_PACKED_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "ept/zeroed.h"

#define PACKED_BITS 57 /* the most that eight bytes hold, wherever it begins */

struct packed {
	uint8_t *byte;
	size_t bytes;
	uint64_t mask; /* the largest number */
	unsigned bits;
};

/* For @count numbers up to @largest, below 2^PACKED_BITS. False: no memory. */
static inline bool packed_init(struct packed *p, uint64_t count,
			       uint64_t largest)
{
	unsigned bits = largest ? 64 - (unsigned)__builtin_clzll(largest) : 1;

	assert(bits <= PACKED_BITS);
	*p = (struct packed){ .mask = (UINT64_C(1) << bits) - 1, .bits = bits };
	p->bytes = (count * bits + 7) / 8 + sizeof(uint64_t);
	p->byte = zeroed_array_new(p->bytes);
	return p->byte;
}

static inline void packed_free(struct packed *p)
{
	zeroed_array_free(p->byte, p->bytes);
}

static inline uint64_t packed_get(const struct packed *p, uint64_t i)
{
	uint64_t at = i * p->bits, w;

	memcpy(&w, p->byte + at / 8, sizeof(w));
	return w >> at % 8 & p->mask;
}

static inline void packed_set(struct packed *p, uint64_t i, uint64_t number)
{
	uint64_t at = i * p->bits, w;

	assert(number <= p->mask);
	memcpy(&w, p->byte + at / 8, sizeof(w));
	w = (w & ~(p->mask << at % 8)) | number << at % 8;
	memcpy(p->byte + at / 8, &w, sizeof(w));
}

#endif
