/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "ept/places.h"

int places_init(struct places *p, uint64_t count)
{
	uint64_t words = (count + 63) / 64;

	*p = (struct places){ .count = count };
	p->map = calloc(words, sizeof(*p->map));
	if (!p->map)
		return -ENOMEM;
	/* What the last word has beyond the end is not free. */
	if (count % 64)
		p->map[words - 1] = UINT64_MAX << count % 64;
	pthread_mutex_init(&p->lock, NULL);
	return 0;
}

void places_destroy(struct places *p)
{
	pthread_mutex_destroy(&p->lock);
	free(p->map);
}

/* The next free place at or after p->next; there is one. */
static uint64_t find(const struct places *p)
{
	uint64_t words = (p->count + 63) / 64, w = p->next / 64;
	uint64_t free = ~p->map[w] & UINT64_MAX << p->next % 64;

	while (!free) {
		w = (w + 1) % words;
		free = ~p->map[w];
	}
	return w * 64 + (unsigned)__builtin_ctzll(free);
}

unsigned places_take(struct places *p, uint64_t *place, unsigned n)
{
	unsigned got = 0;

	pthread_mutex_lock(&p->lock);
	for (; got < n && p->taken < p->count; got++) {
		uint64_t at = place[got] = find(p);

		p->map[at / 64] |= UINT64_C(1) << at % 64;
		p->taken++;
		p->held++;
		p->next = (at + 1) % p->count;
	}
	pthread_mutex_unlock(&p->lock);
	return got;
}

void places_free(struct places *p, uint64_t place)
{
	pthread_mutex_lock(&p->lock);
	p->map[place / 64] &= ~(UINT64_C(1) << place % 64);
	p->taken--;
	p->held--;
	pthread_mutex_unlock(&p->lock);
}

void places_quarantine(struct places *p)
{
	pthread_mutex_lock(&p->lock);
	p->held--;
	pthread_mutex_unlock(&p->lock);
}

/* No room is no fault of the place: the file system may share blocks, the
 * device be thinly provisioned, the process have a limit. */
void places_failed(struct places *p, uint64_t place, int error)
{
	if (error == -ENOSPC || error == -EDQUOT || error == -EFBIG)
		places_free(p, place);
	else
		places_quarantine(p);
}

void places_stats(struct places *p, struct tier_stats *st)
{
	pthread_mutex_lock(&p->lock);
	*st = (struct tier_stats){
		.pages = p->held,
		.raw_bytes = p->held << PAGE_SHIFT,
		.stored_bytes = p->held << PAGE_SHIFT,
		.room_bytes = (p->count - p->taken) << PAGE_SHIFT,
		.limit_bytes = p->count << PAGE_SHIFT,
		.quarantined = p->taken - p->held,
	};
	pthread_mutex_unlock(&p->lock);
}
