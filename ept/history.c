/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "ept/history.h"

uint64_t history_events(uint64_t pages)
{
	uint64_t events = HISTORY_MIN;

	while (events < HISTORY_EVENTS &&
	       2 * events * sizeof(struct history_event) < pages)
		events *= 2;
	return events;
}

int history_init(struct history *h, uint64_t events)
{
	assert(events && !(events & (events - 1)));
	*h = (struct history){ .events = events };
	h->event = calloc(events, sizeof(h->event[0]));
	return h->event ? 0 : -ENOMEM;
}

void history_destroy(struct history *h)
{
	free(h->event);
}

void history_note(struct history *h, const struct history_event *e)
{
	h->event[h->noted++ & (h->events - 1)] = *e;
}

unsigned history_find(const struct history *h, gfn_t g,
		      struct history_event *to, unsigned most)
{
	uint64_t oldest = history_lost(h);
	unsigned found = 0;

	for (uint64_t i = h->noted; i > oldest && found < most; i--) {
		const struct history_event *e =
			&h->event[(i - 1) & (h->events - 1)];

		if (e->gfn == g.v)
			to[found++] = *e;
	}
	return found;
}

uint64_t history_lost(const struct history *h)
{
	return h->noted > h->events ? h->noted - h->events : 0;
}
