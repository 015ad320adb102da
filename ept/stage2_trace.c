/* SPDX-License-Identifier: MIT */
/* A trace's begin, its records of pages and decisions, and its end. */
#include <string.h>

#include "ept/deadline.h"
#include "ept/decide.h"

static void trace_slot(struct stage2 *s, struct trace_record *r, struct pte e)
{
	if (pte_kind(e) != PTE_STORED)
		return;
	r->stage2.slot = pte_slot(e).v;
	r->stage2.tier = (uint8_t)swap_tier(s->config.swap, pte_slot(e));
}

void trace_page(struct stage2 *s, enum trace_kind kind, gfn_t g,
		struct pte before, struct pte after, struct trace_record r)
{
	r.kind = (uint16_t)kind;
	r.stage2.gpa = gpa_of(g).v;
	r.stage2.before = before.v;
	r.stage2.after = after.v;
	r.stage2.tier = TRACE_NO_TIER;
	trace_slot(s, &r, before);
	trace_slot(s, &r, after);
	if (kind != TRACE_STORE) /* EVICT repeats it when it is sure */
		observe_record(&s->observer, s->config.swap, s->policy->ops,
			       &r);
	trace_emit(s->trace, &r);
}

void decide_trace(struct stage2 *s, enum trace_decision what, frame_t f,
		  uint64_t value)
{
	struct trace_record r = {
		.tsc = trace_now(),
		.kind = TRACE_DECISION,
		.fault = (uint8_t)what,
		.decision = { .frame = f.v,
			      .value = value,
			      .gpa = gpa_of(gfn_of_frame(s, f)).v },
	};

	strncpy(r.decision.name, s->policy->ops->name,
		sizeof(r.decision.name) - 1);
	trace_emit(s->trace, &r);
}

/* Of whoever is served from now on it is asked who that is; those of whom it
 * was not have their end, unless that takes long. */
static void see_all(struct stage2 *s)
{
	const struct timespec until = deadline_in(1000);
	int r = 0;

	s->seeing = true;
	while (s->unseen && !s->stopping && !r)
		r = pthread_cond_timedwait(&s->settled, &s->lock, &until);
}

/* All that belongs to what was recorded comes in. Drops the lock. */
static void hear_all(struct stage2 *s)
{
	const struct stage2_witness *w = &s->config.witness;

	while (s->tracing)
		wait_settled(s);
	pthread_mutex_unlock(&s->lock);
	if (w->end)
		w->end(w->ctx);
	pthread_mutex_lock(&s->lock);
	s->more = NULL;
}

void stage2_trace(struct stage2 *s, struct trace *t, struct stage2_counters *c)
{
	pthread_mutex_lock(&s->lock);
	if (t)
		see_all(s);
	s->seeing = t;
	counters_read(s, c);
	s->trace = t;
	if (t)
		s->more = t;
	s->deciding = false; /* what it was told before is not in it */
	if (t)
		s->fault = 0;
	if (!t)
		hear_all(s);
	pthread_mutex_unlock(&s->lock);
}

static void emit(struct stage2 *s, struct trace *const *to,
		 const struct trace_record *r)
{
	pthread_mutex_lock(&s->lock);
	trace_emit(*to, r);
	pthread_mutex_unlock(&s->lock);
}

void stage2_trace_emit(struct stage2 *s, const struct trace_record *r)
{
	emit(s, &s->trace, r);
}

void stage2_trace_more(struct stage2 *s, const struct trace_record *r)
{
	emit(s, &s->more, r);
}

void stage2_trace_flush(struct stage2 *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->trace)
		trace_flush(s->trace);
	pthread_mutex_unlock(&s->lock);
}
