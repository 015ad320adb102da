/* SPDX-License-Identifier: MIT */
/*
 * The resolver: the touched page is brought in and its vCPU woken; then, behind
 * it, what the vCPU will touch next.
 */
#include <errno.h>
#include <time.h>

#include "ept/haul.h"
#include "ept/poison.h"
#include "ept/probes.h"
#include "ept/serve.h"
#include "ept/uffd.h"

#define SKIP_MAX 64 /* mapped pages that a reader may run over */

static void count_fault(struct stage2 *s, const struct parked_fault *p)
{
	if (p->flags & UFFD_PAGEFAULT_FLAG_MINOR)
		s->count.minor++;
	else
		s->count.missing++;
}

/* What a fault's record says of the thread that faulted. */
static struct trace_record record_of_fault(const struct parked_fault *p,
					   uint64_t began)
{
	struct trace_record r = { .tsc = began };

	r.fault = p->flags & UFFD_PAGEFAULT_FLAG_MINOR ? TRACE_MINOR
						       : TRACE_MISSING;
	r.stage2.thread = p->thread;
	r.stage2.write = !!(p->flags & UFFD_PAGEFAULT_FLAG_WRITE);
	return r;
}

/* The fault is over at @now, in the books: the page's entry was @from and is
 * @to. */
static void record(struct server *me, struct parked_fault *p,
		   struct trace_record r, uint64_t now, struct pte from,
		   struct pte to)
{
	uint64_t ticks = now - r.tsc;
	struct stage2 *s = me->s;

	observe_resume(&s->observer, p->thread);
	if (p->counted)
		return;
	p->counted = true;
	count_fault(s, p);
	histogram_add(&s->latency, ticks);
	r.ticks = trace_ticks(ticks);
	probe_fault(p->gfn, p->thread, r.fault == TRACE_MINOR, r.source,
		    r.ticks);
	if (s->trace)
		fault_trace(me, p, r, from, to);
	else
		trace_page(s, TRACE_STAGE2, p->gfn, from, to, r);
}

/* A reader's plan under way: its pages from @next on are still to come. */
struct reach {
	struct ahead_plan plan;
	frame_t first;
	unsigned next;
};

static frame_t reach_frame(const struct reach *r, unsigned i)
{
	return (frame_t){ r->first.v + (uint64_t)(r->plan.step * i) };
}

/* The reader's next fault comes at the first page from @i on that is not mapped
 * already: it runs over those that are. */
static void expect(struct stage2 *s, const struct reach *r, unsigned i)
{
	for (unsigned most = i + SKIP_MAX; i < most; i++) {
		frame_t f = reach_frame(r, i);

		if (f.v >= s->backing.frames ||
		    pte_kind(ept_lookup(&s->ept, gfn_of_frame(s, f))) !=
			    PTE_LEAF)
			break;
	}
	ahead_brought(&s->faults.ahead, r->plan, r->first, i);
}

/* A window never takes more than an eighth of what may be resident. */
static struct reach reach_from(struct stage2 *s, frame_t f)
{
	struct reach r = { ahead_fault(&s->faults.ahead, f), f, 1 };
	uint64_t most = s->limit / 8 / s->frame_pages + 1;

	if (s->config.refs_ms)
		most = 1;
	if (r.plan.pages > most)
		r.plan.pages = (unsigned)most;
	expect(s, &r, r.plan.pages);
	return r;
}

/* The plan goes no further: the reader will fault on the next page. */
static void reach_ends(struct stage2 *s, struct reach *r)
{
	r->plan.pages = r->next;
	expect(s, r, r->next);
}

/* Take the plan's next page, unless it is mapped, or others are at it. False:
 * there is none, or no frame to spare for it. */
static bool take_next(struct stage2 *s, struct haul *h, struct reach *r)
{
	frame_t f = reach_frame(r, r->next);
	struct pte e;
	int error;

	if (r->next == r->plan.pages)
		return false;
	if (f.v >= s->backing.frames) {
		reach_ends(s, r);
		return false;
	}
	e = ept_lookup(&s->ept, gfn_of_frame(s, f));
	if ((pte_kind(e) == PTE_ABSENT || pte_kind(e) == PTE_STORED) &&
	    frames_spare(s) < s->frame_pages) {
		reach_ends(s, r);
		return false;
	}
	if (pte_kind(e) != PTE_LEAVING &&
	    haul_take(s, h, gfn_of_frame(s, f), &error) == HAUL_TAKEN)
		h->page[h->n - 1].ahead = true;
	r->next++;
	return true;
}

/* As many of the plan's pages as the haul still has room for. */
static void take_ahead(struct stage2 *s, struct haul *h, struct reach *r)
{
	while (h->n < haul_room(s) && take_next(s, h, r))
		;
}

void serve_again(struct stage2 *s, frame_t f)
{
	uffd_wake(s->faults.uffd, backing_guest(&s->backing, f),
		  backing_span(&s->backing, 1));
}

/* What came of an attempt. */
enum serve { SERVE_DONE, SERVE_LOST, SERVE_AGAIN };

/* Is the failure one of the moment? There was no memory just now (then not too
 * soon), or others have taken the page since it went back. */
static bool may_try_again(struct stage2 *s, const struct arrival *a)
{
	if (!haul_is_back(s, a))
		return true;
	if (a->error != -ENOMEM)
		return false;
	pthread_mutex_unlock(&s->lock);
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	pthread_mutex_lock(&s->lock);
	return true;
}

/* Bring the touched page, the haul's first; its vCPU wakes when it is mapped.
 * It is recorded before that: on a CPU that both share the vCPU runs at once,
 * and we would count its work as ours. */
static enum serve bring_touched(struct server *me, struct parked_fault *p,
				struct trace_record r)
{
	uint64_t start = trace_now(), now;
	struct haul *h = me->haul;
	struct arrival *a = &h->page[0];
	struct stage2 *s = me->s;

	me->who.who.wait = trace_ticks(start - r.tsc);
	pthread_mutex_unlock(&s->lock);
	haul_fill(s, h, 0, 1);
	pthread_mutex_lock(&s->lock);
	now = trace_now();
	me->who.who.fetch = trace_ticks(now - start);
	r.source = (uint8_t)a->source;
	if (!a->error)
		record(me, p, r, now, haul_before(a, p->gfn), a->to);
	haul_map(s, h, 0, 1);
	fault_tell(me, now);
	if (!a->error)
		return SERVE_DONE;
	if (s->stopping)
		return SERVE_LOST;
	if (may_try_again(s, a))
		return SERVE_AGAIN;
	if (poison_page(s, a->gfn, a->error)) {
		observe_resume(&s->observer, p->thread);
		return SERVE_DONE;
	}
	haul_failed(s, a);
	return SERVE_LOST;
}

/* Somebody else brought it: who waits for it is let go. Busy meanwhile: were
 * the page unmapped before we map it, the host would map what the table does
 * not. */
static void let_go(struct stage2 *s, gfn_t g)
{
	uint64_t len = backing_span(&s->backing, 1);
	frame_t f;
	int error;

	frame_of(s, g, &f);
	frame_set_add(&s->busy, f);
	pthread_mutex_unlock(&s->lock);
	if (!uffd_continue(s->faults.uffd, backing_guest(&s->backing, f), len,
			   len, &error))
		serve_again(s, f);
	pthread_mutex_lock(&s->lock);
	frame_set_remove(&s->busy, f);
	pthread_cond_broadcast(&s->settled);
}

/* What was touched is mapped already. */
static void find_there(struct server *me, struct parked_fault *p,
		       struct trace_record r)
{
	struct pte e = ept_lookup(&me->s->ept, p->gfn);
	uint64_t now = trace_now();

	r.source = TRACE_SOURCE_THERE;
	me->who.who.wait = trace_ticks(now - r.tsc);
	record(me, p, r, now, e, e);
	let_go(me->s, p->gfn);
	fault_tell(me, now);
}

static enum serve serve_once(struct server *me, struct parked_fault *p)
{
	struct stage2 *s = me->s;
	struct haul *h = me->haul;
	struct trace_record r;
	struct reach reach;
	enum serve served;
	int taken;

	observe_stall(&s->observer, p->thread);
	r = record_of_fault(p, fault_see(me, p));
	h->n = 0;
	taken = haul_take_waiting(s, h, p->gfn);
	if (taken < 0)
		return taken == -EHWPOISON && poison_again(s, p->gfn)
			       ? SERVE_DONE
			       : SERVE_LOST;
	if (taken > 0) {
		find_there(me, p, r);
		return SERVE_DONE;
	}
	reach = reach_from(s, h->page[0].frame);
	if (me->is_spare)
		reach_ends(s, &reach);
	take_ahead(s, h, &reach);
	served = bring_touched(me, p, r);
	for (unsigned first = 1; first < h->n; first = 0) {
		haul_bring(s, h, first, h->n - first);
		h->n = 0;
		take_ahead(s, h, &reach);
	}
	return served;
}

bool serve_fault(struct server *me, struct parked_fault *p)
{
	enum serve served;

	spare_begin(me);
	do {
		served = serve_once(me, p);
		fault_end(me);
	} while (served == SERVE_AGAIN);
	spare_end(me);
	return served == SERVE_DONE;
}
