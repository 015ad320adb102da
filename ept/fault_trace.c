/* SPDX-License-Identifier: MIT */
/*
 * What a trace has of a fault, in the order of its service: who it was, before
 * anything is done; the STAGE2 record, when it is over in the books and before
 * its vCPU runs; the WHO record of the same number, when its page was mapped.
 */
#include "ept/haul.h"
#include "ept/serve.h"

uint64_t fault_see(struct server *me, const struct parked_fault *p)
{
	const struct stage2_witness *w = &me->s->config.witness;
	uint64_t start = trace_now(), now;

	me->who = (struct trace_record){
		.kind = TRACE_WHO,
		.who = { .gva = TRACE_NOWHERE,
			 .cr3 = TRACE_NOWHERE,
			 .victim = TRACE_NOWHERE },
	};
	me->vcpu = TRACE_NO_VCPU;
	me->who.queued = me->read ? trace_ticks(start - me->read) : 0;
	me->unseen = !me->s->seeing;
	me->s->unseen += me->unseen;
	if (me->unseen || !w->see)
		return start;
	pthread_mutex_unlock(&me->s->lock);
	w->see(w->ctx, p->thread, p->gfn, &me->who, &me->vcpu);
	pthread_mutex_lock(&me->s->lock);
	now = trace_now();
	me->who.ticks = trace_ticks(now - start);
	return now;
}

void fault_trace(struct server *me, struct parked_fault *p,
		 struct trace_record r, struct pte from, struct pte to)
{
	const struct stage2_witness *w = &me->s->config.witness;
	struct stage2 *s = me->s;

	r.number = ++s->fault;
	r.stage2.gpa = gpa_of(p->gfn).v;
	r.stage2.vcpu = me->vcpu;
	trace_page(s, TRACE_STAGE2, p->gfn, from, to, r);
	s->tracing++;
	me->who.number = r.number;
	me->who.tsc = r.tsc;
	if (w->part)
		w->part(w->ctx, &r, &me->who);
}

void fault_tell(struct server *me, uint64_t start)
{
	const struct haul *h = me->haul;
	struct stage2 *s = me->s;

	if (!me->who.number)
		return;
	me->who.who.install = trace_since(start);
	if (h->waited)
		me->who.who.victim = gpa_of(h->victim).v;
	trace_emit(s->more, &me->who);
	if (!--s->tracing)
		pthread_cond_broadcast(&s->settled);
}

void fault_end(struct server *me)
{
	me->s->unseen -= me->unseen;
	if (me->s->seeing && me->unseen)
		pthread_cond_broadcast(&me->s->settled);
}
