/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "ept/ahead.h"

#define BEGIN_MAX 16
#define BEGIN_MIN 2

void ahead_init(struct ahead *a)
{
	*a = (struct ahead){ .begin = BEGIN_MAX };
}

/* The step of more than half of the latest faults, or 0. */
static int64_t majority(const struct ahead *a)
{
	int64_t candidate = 0;
	unsigned votes = 0, count = 0;

	for (unsigned i = 0; i < AHEAD_STEPS; i++)
		if (votes == 0) {
			candidate = a->step[i];
			votes = 1;
		} else {
			votes += a->step[i] == candidate ? 1 : UINT32_MAX;
		}
	for (unsigned i = 0; i < AHEAD_STEPS; i++)
		count += a->step[i] == candidate;
	return count > AHEAD_STEPS / 2 ? candidate : 0;
}

static void vote(struct ahead *a, int64_t step)
{
	a->step[a->faults++ % AHEAD_STEPS] = step;
}

static struct ahead_stream *expecting(struct ahead *a, frame_t f)
{
	for (unsigned i = 0; i < AHEAD_STREAMS; i++)
		if (a->stream[i].step && a->stream[i].next.v == f.v)
			return &a->stream[i];
	return NULL;
}

static struct ahead_stream *idle_longest(struct ahead *a)
{
	struct ahead_stream *idle = &a->stream[0];

	for (unsigned i = 1; i < AHEAD_STREAMS; i++)
		if (a->stream[i].used < idle->used)
			idle = &a->stream[i];
	return idle;
}

/* The stream went on as expected: what it was given was of use. */
static void grow(struct ahead *a, struct ahead_stream *t)
{
	unsigned window = t->window > 1 ? t->window * 2 : a->begin;

	t->window = window < AHEAD_MAX ? window : AHEAD_MAX;
	if (a->begin < BEGIN_MAX)
		a->begin++;
}

static struct ahead_stream *begin(struct ahead *a, int64_t step)
{
	struct ahead_stream *t = idle_longest(a);

	if (t->window > 1 && a->begin > BEGIN_MIN)
		a->begin /= 2; /* its last window was for nothing */
	*t = (struct ahead_stream){ .step = step ? step : 1, .window = 1 };
	return t;
}

struct ahead_plan ahead_fault(struct ahead *a, frame_t f)
{
	struct ahead_stream *t = expecting(a, f);

	if (t) {
		vote(a, t->step);
		grow(a, t);
	} else {
		vote(a, (int64_t)(f.v - a->last.v));
		t = begin(a, majority(a));
	}
	a->last = f;
	t->used = a->faults;
	return (struct ahead_plan){ .step = t->step,
				    .pages = t->window,
				    .stream = (unsigned)(t - a->stream) };
}

void ahead_brought(struct ahead *a, struct ahead_plan plan, frame_t f,
		   unsigned pages)
{
	struct ahead_stream *t = &a->stream[plan.stream];

	t->next.v = f.v + (uint64_t)(t->step * (int64_t)pages);
}
