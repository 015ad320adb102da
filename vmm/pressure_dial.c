/* SPDX-License-Identifier: MIT */
#include "vmm/pressure_dial.h"

#include <math.h>

#define STEP 0.5 /* of its range: the most that a walk goes at once */

static double bytes_of(struct amount a, double whole)
{
	return a.percent ? whole * a.value / 100 : a.value;
}

void dial_start(struct dial_state *d, const struct move *m, double whole,
		int64_t now_ms)
{
	d->used = true;
	d->move = *m;
	d->move.low.value = bytes_of(m->low, whole);
	d->move.high.value = bytes_of(m->high, whole);
	d->began_ms = now_ms;
	d->from = d->now;
	d->steps = 0;
}

/* The steps that are due, each reflected where the range ends. */
static double walk(struct dial_state *d, int64_t ms)
{
	double low = d->move.low.value, high = d->move.high.value;
	double at = fmin(fmax(d->now, low), high);

	for (; d->steps < ms / d->move.ms; d->steps++) {
		at += (2 * inject_draw(&d->chance) - 1) * STEP * (high - low);
		at = at < low ? 2 * low - at : at > high ? 2 * high - at : at;
	}
	return at;
}

int64_t dial_due(const struct dial_state *d, int64_t now_ms)
{
	int64_t end = d->began_ms + d->move.ms;

	if (!d->used || d->move.shape != MOVE_RAMP || end <= now_ms)
		return INT64_MAX;
	return end;
}

double dial_at(struct dial_state *d, int64_t now_ms)
{
	const struct move *m = &d->move;
	int64_t ms = now_ms - d->began_ms;
	double part = m->ms ? (double)ms / (double)m->ms : 1;

	switch (m->shape) {
	case MOVE_STEP:
		d->now = m->low.value;
		break;
	case MOVE_RAMP:
		d->now = d->from + (m->low.value - d->from) * fmin(part, 1);
		break;
	case MOVE_SINE: /* from the top */
		d->now = (m->high.value + m->low.value) / 2 +
			 (m->high.value - m->low.value) / 2 *
				 cos(2 * M_PI * part);
		break;
	case MOVE_WALK:
		d->now = walk(d, ms);
		break;
	}
	return d->now;
}
