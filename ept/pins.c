/* SPDX-License-Identifier: MIT */
/* A hash table with linear probing; a place that comes free is filled from
 * behind, so that no search ever meets a grave. */
#include <assert.h>

#include "ept/pins.h"

#define PLACES (2 * PINS_MAX)

static unsigned home(frame_t f)
{
	return (unsigned)((f.v * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % PLACES;
}

/* Where @f is, or the free place where it would be. */
static unsigned find(const struct pins *p, frame_t f)
{
	unsigned i = home(f);

	while (p->place[i].pins && p->place[i].frame.v != f.v)
		i = (i + 1) % PLACES;
	return i;
}

bool pins_add(struct pins *p, frame_t f, uint64_t most)
{
	unsigned i = find(p, f);

	if (!p->place[i].pins) {
		if (p->frames >= most || p->frames == PINS_MAX)
			return false;
		p->frames++;
		p->place[i].frame = f;
	}
	p->place[i].pins++;
	return true;
}

/* Would a search for the frame at @i, begun at its home, pass the place
 * @free? */
static bool passes(const struct pins *p, unsigned i, unsigned free)
{
	unsigned from = home(p->place[i].frame);

	return (i + PLACES - from) % PLACES >= (i + PLACES - free) % PLACES;
}

static void close_gap(struct pins *p, unsigned free)
{
	unsigned i = (free + 1) % PLACES;

	for (; p->place[i].pins; i = (i + 1) % PLACES)
		if (passes(p, i, free)) {
			p->place[free] = p->place[i];
			p->place[i].pins = 0;
			free = i;
		}
}

bool pins_drop(struct pins *p, frame_t f)
{
	unsigned i = find(p, f);

	assert(p->place[i].pins);
	if (--p->place[i].pins)
		return false;
	p->frames--;
	close_gap(p, i);
	return true;
}

bool pins_hold(const struct pins *p, frame_t f)
{
	return p->frames && p->place[find(p, f)].pins;
}
