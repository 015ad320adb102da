/* SPDX-License-Identifier: MIT */
#include "vmm/slo.h"

#define SHRINK	     128 /* a step takes at most one part of so many */
#define GROW	     16 /* the first step gives one part of so many */
#define DOUBLINGS    4 /* the most: then the cap doubles */
#define IDLE	     8 /* memory above what is in use: one part of so many */
#define PATIENCE_MIN 8
#define PATIENCE_MAX 128

/* A cap far above what is in use decides nothing: it comes down at once. */
static uint64_t in_use(uint64_t cap, uint64_t resident)
{
	uint64_t used = resident + resident / IDLE;

	return used < cap ? used : cap;
}

/* The first second of a streak is a lesson: be more patient. */
static void go_up(struct slo *s)
{
	unsigned doublings = s->streak < DOUBLINGS ? s->streak : DOUBLINGS;

	if (s->streak++ == 0)
		s->patience *= 2;
	if (s->patience < PATIENCE_MIN)
		s->patience = PATIENCE_MIN;
	if (s->patience > PATIENCE_MAX)
		s->patience = PATIENCE_MAX;
	s->rest = s->patience;
	s->cap += (s->cap / GROW) << doublings;
}

/* A second that went well: down again, if it is time. */
static void go_down(struct slo *s, const struct slo_second *t)
{
	uint64_t cap = in_use(s->cap, t->resident);
	double left = 1 - t->avg10 / s->target;

	s->streak = 0;
	if (t->avg10 > s->target)
		return;
	if (s->rest) {
		s->rest--;
		return;
	}
	s->cap = cap - (uint64_t)((double)cap / SHRINK * left);
}

static uint64_t within(uint64_t cap, uint64_t floor, uint64_t ceiling)
{
	return cap < floor ? floor : cap > ceiling ? ceiling : cap;
}

uint64_t slo_step(struct slo *s, const struct slo_second *t)
{
	const uint64_t before = s->cap;

	if (t->now > s->target)
		go_up(s);
	else
		go_down(s, t);
	s->cap = within(s->cap, t->floor, t->ceiling);
	s->raised += s->cap > before;
	s->lowered += s->cap < before;
	return s->cap;
}
