/* SPDX-License-Identifier: MIT */
/* Linear probing, at most half full: a look-up is one cache line or two. */
#include "vmm/dense.h"

#include <stdlib.h>

#define BITS_FIRST 12
#define BITS_MAX   32

bool dense_init(struct dense *d)
{
	*d = (struct dense){ .bits = BITS_FIRST };
	d->slot = calloc(UINT64_C(1) << d->bits, sizeof(d->slot[0]));
	return d->slot;
}

void dense_free(struct dense *d)
{
	free(d->slot);
}

/* Where @key is, or the free slot where it would go. Fibonacci hashing: the
 * high bits of the product depend on all bits of the key. */
static struct dense_slot *find(const struct dense *d, uint64_t key)
{
	uint64_t mask = (UINT64_C(1) << d->bits) - 1, at;

	at = (key ^ key >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - d->bits);
	while (d->slot[at].used && d->slot[at].key != key)
		at = (at + 1) & mask;
	return &d->slot[at];
}

static bool grow(struct dense *d)
{
	struct dense larger = { .bits = d->bits + 1, .count = d->count };

	if (d->bits == BITS_MAX)
		return false;
	larger.slot = calloc(UINT64_C(1) << larger.bits, sizeof(d->slot[0]));
	if (!larger.slot)
		return false;
	for (uint64_t i = 0; i < UINT64_C(1) << d->bits; i++)
		if (d->slot[i].used)
			*find(&larger, d->slot[i].key) = d->slot[i];
	free(d->slot);
	*d = larger;
	return true;
}

bool dense_number(struct dense *d, uint64_t key, uint32_t *number)
{
	struct dense_slot *s = find(d, key);

	if (!s->used) {
		if (d->count >= UINT64_C(1) << (d->bits - 1)) {
			if (!grow(d))
				return false;
			s = find(d, key);
		}
		*s = (struct dense_slot){ key, d->count++, true };
	}
	*number = s->number;
	return true;
}
