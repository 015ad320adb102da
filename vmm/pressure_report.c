/* SPDX-License-Identifier: MIT */
#include "vmm/pressure_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct phase *current(struct pressure_run_report *r)
{
	return &r->phase[r->phases - 1];
}

void report_begin(struct pressure_run_report *r, const struct sample *s)
{
	r->phases = 1;
	*current(r) = (struct phase){ "as it was", *s, *s, s->cap };
}

static void widen(struct spread *s, double value, double part)
{
	s->least = fmin(s->least, value);
	s->most = fmax(s->most, value);
	s->mean += (value - s->mean) * part;
	s->end = value;
}

void report_sample(struct pressure_run_report *r, const struct sample *s,
		   double now[METRICS])
{
	const struct sample *before = &current(r)->last;
	double ms = (double)(s->at_ms - before->at_ms);

	metrics_between(before, s, now);
	r->weight += ms;
	for (unsigned m = 0; m < METRICS; m++) {
		if (!r->samples)
			r->spread[m].least = r->spread[m].most = now[m];
		if (r->weight > 0)
			widen(&r->spread[m], now[m], ms / r->weight);
	}
	r->samples++;
	current(r)->last = *s;
	if (s->cap < current(r)->cap)
		current(r)->cap = s->cap;
}

/* What is done at one time is one phase; nothing was seen of one before that
 * took no time. */
void report_phase(struct pressure_run_report *r, const char *text)
{
	const struct sample last = current(r)->last;
	struct phase *p = current(r);

	if (p->first.at_ms != last.at_ms && r->phases <= SCENARIO_EVENTS) {
		r->phases++;
		p = current(r);
		*p = (struct phase){ "", last, last, UINT64_MAX };
	} else if (r->phases == 1) {
		p->text[0] = '\0';
	}
	size_t len = strlen(p->text);
	snprintf(p->text + len, sizeof(p->text) - len, "%s%s", len ? "; " : "",
		 text);
}

void phase_metrics(const struct phase *p, double to[METRICS])
{
	struct sample last = p->last;

	if (p->cap < last.cap)
		last.cap = p->cap;
	metrics_between(&p->first, &last, to);
}

bool report_knows_guest(const struct pressure_run_report *r)
{
	return r->phases && r->phase[r->phases - 1].last.progress;
}

bool bound_holds(const struct bound *b, double value)
{
	return b->less ? value < b->limit : value > b->limit;
}

bool expectation_holds(const struct pressure_run_report *r,
		       const struct expectation *e, double *value)
{
	const struct spread *s = &r->spread[e->bound.metric];

	switch (e->when) {
	case EXPECT_MEAN:
		*value = s->mean;
		break;
	case EXPECT_END:
		*value = s->end;
		break;
	default:
		*value = e->bound.less ? s->most : s->least;
	}
	if (!r->samples ||
	    (e->bound.metric == METRIC_GUEST && !report_knows_guest(r)))
		return false;
	return bound_holds(&e->bound, *value);
}

bool report_passed(const struct pressure_run_report *r)
{
	double value;

	for (unsigned i = 0; i < r->scenario->expects; i++)
		if (!expectation_holds(r, &r->scenario->expect[i], &value))
			return false;
	return r->completed;
}
