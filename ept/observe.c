/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "ept/clock.h"
#include "ept/observe.h"
#include "ept/state.h"

int observe_init(struct observer *o, uint64_t pages)
{
	pressure_init(&o->pressure, clock_ns());
	return history_init(&o->history, history_events(pages));
}

void observe_destroy(struct observer *o)
{
	history_destroy(&o->history);
}

static uint8_t policy_number(const struct policy_ops *policy)
{
	for (uint8_t i = 0; policies[i]; i++)
		if (policies[i] == policy)
			return i;
	return HISTORY_NO_POLICY;
}

static enum history_what what_of(const struct trace_record *r)
{
	switch (r->kind) {
	case TRACE_STAGE2:
		return r->fault == TRACE_MINOR ? HISTORY_MINOR
					       : HISTORY_MISSING;
	case TRACE_AHEAD:
		return HISTORY_AHEAD;
	case TRACE_AGE:
		return HISTORY_AGE;
	case TRACE_DISCARD:
		return HISTORY_DISCARD;
	default:
		return HISTORY_EVICT;
	}
}

static enum rung rung_of(struct swap *swap, const struct trace_record *r)
{
	switch (r->source) {
	case TRACE_SOURCE_ZERO:
		return RUNG_ZERO;
	case TRACE_SOURCE_CLEAN:
	case TRACE_SOURCE_SHARED:
		return RUNG_CLEAN;
	case TRACE_SOURCE_BALLOON:
		return RUNG_BALLOONED;
	case TRACE_SOURCE_REPORT:
		return RUNG_REPORTED_FREE;
	default:
		return rung_of_tier(
			swap_tier_name(swap, (slot_t){ r->stage2.slot }));
	}
}

/* Did a frame come free? */
static bool frees(const struct trace_record *r)
{
	return r->kind == TRACE_EVICT ||
	       (r->kind == TRACE_DISCARD &&
		pte_has_frame((struct pte){ r->stage2.before }));
}

static struct history_event event_of(const struct policy_ops *policy,
				     const struct trace_record *r)
{
	return (struct history_event){
		.gfn = r->stage2.gpa >> PAGE_SHIFT,
		.tsc = r->tsc,
		.slot = r->stage2.slot,
		.ticks = r->ticks,
		.what = (uint8_t)what_of(r),
		.source = r->source,
		.tier = r->stage2.tier,
		.policy = policy_number(policy),
	};
}

void observe_record(struct observer *o, struct swap *swap,
		    const struct policy_ops *policy,
		    const struct trace_record *r)
{
	struct history_event e = event_of(policy, r);

	history_note(&o->history, &e);
	if (frees(r))
		ladder_count(&o->ladder, rung_of(swap, r), PAGE_SIZE, r->ticks);
}

void observe_error(struct observer *o, struct swap *swap,
		   enum history_what what, gfn_t g, struct pte e)
{
	struct history_event event = {
		.gfn = g.v,
		.tsc = trace_now(),
		.what = (uint8_t)what,
		.tier = HISTORY_NO_TIER,
		.policy = HISTORY_NO_POLICY,
	};

	if (pte_kind(e) == PTE_STORED) {
		event.slot = pte_slot(e).v;
		event.tier = (uint8_t)swap_tier(swap, pte_slot(e));
	}
	history_note(&o->history, &event);
}

void observe_vcpu(struct observer *o)
{
	pressure_add_vcpu(&o->pressure, (uint32_t)gettid(), clock_ns());
}

void observe_stall(struct observer *o, uint32_t thread)
{
	pressure_begin(&o->pressure, thread, clock_ns());
}

void observe_resume(struct observer *o, uint32_t thread)
{
	pressure_end(&o->pressure, thread, clock_ns());
}

bool stage2_page(struct stage2 *s, gfn_t g, struct page_report *r)
{
	const struct history *h = &s->observer.history;
	frame_t f;

	if (!frame_of(s, g, &f))
		return false;
	pthread_mutex_lock(&s->lock);
	*r = (struct page_report){
		.entry = ept_lookup(&s->ept, g),
		.level = ept_level(&s->ept, g),
		.busy = frame_set_has(&s->busy, f),
		.lost = history_lost(h),
		.now = trace_now(),
	};
	r->has_copy = copy_of(s, page_of(s, f) + (g.v - gfn_of_frame(s, f).v),
			      &r->copy);
	r->events = history_find(h, g, r->event, PAGE_EVENTS);
	pthread_mutex_unlock(&s->lock);
	return true;
}

bool stage2_peek(struct stage2 *s, gpa_t at, void *to, size_t len)
{
	bool there;

	assert(range_within(at.v & PAGE_MASK, len, PAGE_SIZE));
	pthread_mutex_lock(&s->lock);
	there = page_in_now(s, gfn_of(at)) == 0;
	if (there)
		memcpy(to,
		       (uint8_t *)page_alias(s, gfn_of(at)) +
			       (at.v & PAGE_MASK),
		       len);
	pthread_mutex_unlock(&s->lock);
	return there;
}

struct pressure_report stage2_pressure(struct stage2 *s)
{
	struct pressure_report r;

	pthread_mutex_lock(&s->lock);
	r = pressure_read(&s->observer.pressure, clock_ns());
	pthread_mutex_unlock(&s->lock);
	return r;
}

void stage2_ladder(struct stage2 *s, struct ladder *l)
{
	pthread_mutex_lock(&s->lock);
	*l = s->observer.ladder;
	pthread_mutex_unlock(&s->lock);
}
