/* SPDX-License-Identifier: MIT */
/*
 * The fault source and the resolver: a thread reads faults from userfaultfd,
 * brings each page in, and maps it, with the pages behind it that a sequential
 * reader will touch next. A page is busy while it is being mapped: nobody
 * takes its frame meanwhile. The table and the counters say that it is mapped
 * before its thread can wake, so that no guest sees them behind itself.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ept/state.h"
#include "ept/uffd.h"

#define WINDOW_MAX 16
#define READ_MAX   16

static void count_fault(struct stage2 *s, const struct parked_fault *p)
{
	if (p->flags & UFFD_PAGEFAULT_FLAG_MINOR)
		s->count.minor++;
	else
		s->count.missing++;
}

/* What a fault's record says of the thread that faulted. */
static struct trace_record record_of_fault(const struct parked_fault *p)
{
	struct trace_record r = { .tsc = trace_now() };

	r.fault = p->flags & UFFD_PAGEFAULT_FLAG_MINOR ? TRACE_MINOR
						       : TRACE_MISSING;
	r.stage2.thread = p->thread;
	r.stage2.write = !!(p->flags & UFFD_PAGEFAULT_FLAG_WRITE);
	return r;
}

/* May a page be mapped along with its neighbour before it is touched? Its bytes
 * must be at hand: in memory, or zeros with frames to spare. */
static bool at_hand(const struct stage2 *s, struct pte e)
{
	if (pte_kind(e) == PTE_ABSENT)
		return pte_payload(e) == PAGER_ZERO &&
		       frames_free(s) > s->limit / 32;
	return pte_kind(e) == PTE_UNMAPPED;
}

/*
 * How many pages to map for a fault at frame @f. A reader that goes on where
 * the last window ended doubles it; any other halves it, down to the page
 * alone, so that random access pays for nothing.
 */
static unsigned next_window(struct faults *q, frame_t f)
{
	if (f.v == q->expected)
		q->window =
			q->window * 2 < WINDOW_MAX ? q->window * 2 : WINDOW_MAX;
	else
		q->window = q->window > 1 ? q->window / 2 : 1;
	return q->window;
}

/* The page's bytes are in its frame: it is mapped as soon as the host says so
 * too. The entry it has from now on. */
static struct pte begin_mapping(struct stage2 *s, gfn_t g)
{
	struct pte e = ept_lookup(&s->ept, g);

	if (pte_kind(e) == PTE_UNMAPPED)
		set_entry(s, g, pte_leaf(pte_frame(e), pte_rights(e)));
	page_of(s, g)->busy = true;
	return ept_lookup(&s->ept, g);
}

static void end_mapping(struct stage2 *s, gfn_t first, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		page_of(s, (gfn_t){ first.v + i })->busy = false;
	pthread_cond_broadcast(&s->settled);
}

/* Begin to map the pages behind @first, up to @window pages in all. Returns
 * how many, @first included. */
static unsigned reach_ahead(struct stage2 *s, gfn_t first, unsigned window)
{
	unsigned n = 1;

	for (; n < window; n++) {
		gfn_t g = { first.v + n };
		struct pte before = ept_lookup(&s->ept, g), after;
		enum trace_source source;

		if (!at_hand(s, before) || page_in(s, g, &source))
			break;
		after = begin_mapping(s, g);
		s->count.mapped_ahead++;
		trace_page(s, TRACE_AHEAD, g, before, after,
			   (struct trace_record){ .tsc = trace_now(),
						  .source = (uint8_t)source });
	}
	return n;
}

/* Serve one fault, with the lock held. False: the page cannot be had. */
static bool serve(struct stage2 *s, const struct parked_fault *p)
{
	struct trace_record r = record_of_fault(p);
	struct pte before = ept_lookup(&s->ept, p->gfn), after;
	enum trace_source source;
	uint64_t ticks;
	unsigned n;
	frame_t f;

	if (!frame_of(s, p->gfn, &f) || page_in(s, p->gfn, &source))
		return false;
	if (source == TRACE_SOURCE_MEMORY)
		s->policy->ops->touch(s->policy, f);
	after = begin_mapping(s, p->gfn);
	n = reach_ahead(s, p->gfn, next_window(&s->faults, f));
	s->faults.expected = f.v + n;
	count_fault(s, p);

	/* Taken before the last step, which wakes the vCPU: on a CPU that both
	 * share it runs at once, and we would count its work as ours. */
	ticks = trace_now() - r.tsc;
	histogram_add(&s->latency, ticks);
	pthread_mutex_unlock(&s->lock);
	if (uffd_continue(s->faults.uffd, backing_guest(&s->backing, f),
			  n * PAGE_SIZE)) /* no memory: it faults again */
		uffd_wake(s->faults.uffd, backing_guest(&s->backing, f),
			  n * PAGE_SIZE);
	pthread_mutex_lock(&s->lock);

	end_mapping(s, p->gfn, n);
	r.source = (uint8_t)source;
	r.ticks = (uint32_t)(ticks < UINT32_MAX ? ticks : UINT32_MAX);
	trace_page(s, TRACE_STAGE2, p->gfn, before, after, r);
	return true;
}

/* A fault that failed waits, its vCPU with it, until the owner says retry. One
 * too many is let go: its thread faults again. */
static void park(struct stage2 *s, const struct parked_fault *p)
{
	struct faults *q = &s->faults;

	for (unsigned i = 0; i < q->parked; i++)
		if (q->park[i].gfn.v == p->gfn.v &&
		    q->park[i].thread == p->thread)
			return; /* a signal made it fault once more */
	if (q->parked < PARKED)
		q->park[q->parked++] = *p;
	else
		uffd_wake(q->uffd, stage2_host(s, p->gfn), PAGE_SIZE);
}

static void retry_parked(struct stage2 *s)
{
	struct faults *q = &s->faults;
	struct parked_fault again[PARKED];
	unsigned n = q->parked;

	memcpy(again, q->park, n * sizeof(again[0]));
	q->parked = 0;
	q->retry = false;
	for (unsigned i = 0; i < n; i++)
		if (!serve(s, &again[i]))
			park(s, &again[i]);
}

static void handle(struct stage2 *s, const struct uffd_msg *m)
{
	uint64_t offset =
		m->arg.pagefault.address - (uintptr_t)s->backing.guest;
	struct parked_fault p = {
		.gfn = gfn_of_frame(s, (frame_t){ offset >> PAGE_SHIFT }),
		.flags = m->arg.pagefault.flags,
		.thread = m->arg.pagefault.feat.ptid,
	};

	if (m->event == UFFD_EVENT_PAGEFAULT && !serve(s, &p))
		park(s, &p);
}

/* Wait for faults, by polling for a while where that was found faster. */
static void wait_for_faults(struct stage2 *s)
{
	struct pollfd p[] = { { .fd = s->faults.uffd, .events = POLLIN },
			      { .fd = s->faults.wake, .events = POLLIN } };
	uint64_t token;

	if (s->faults.placement.choice == PLACE_SPIN)
		for (unsigned i = 0; i < 200; i++)
			if (poll(p, 2, 0) > 0)
				break;
	if (poll(p, 2, -1) > 0 && (p[1].revents & POLLIN))
		if (read(s->faults.wake, &token, sizeof(token)) < 0)
			return;
}

static void calibrate(struct stage2 *s)
{
	struct placement_report r;

	placement_calibrate(&r, s->config.one_vcpu);
	pthread_mutex_lock(&s->lock);
	s->faults.placement = r;
	s->faults.calibrated = true;
	pthread_cond_broadcast(&s->calibrated);
	pthread_mutex_unlock(&s->lock);
}

static void *faults_run(void *arg)
{
	struct stage2 *s = arg;

	pthread_setname_np(pthread_self(), "faults");
	calibrate(s);
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct uffd_msg m[READ_MAX];
		ssize_t n;

		if (s->faults.retry)
			retry_parked(s);
		pthread_mutex_unlock(&s->lock);
		n = read(s->faults.uffd, m, sizeof(m));
		if (n <= 0)
			wait_for_faults(s);
		pthread_mutex_lock(&s->lock);
		for (ssize_t i = 0; i * (ssize_t)sizeof(m[0]) < n; i++)
			handle(s, &m[i]);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void poke(struct stage2 *s)
{
	uint64_t one = 1;

	if (write(s->faults.wake, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN); /* it is awake then */
}

void stage2_retry(struct stage2 *s)
{
	pthread_mutex_lock(&s->lock);
	s->faults.retry = true;
	s->told_full = false;
	pthread_mutex_unlock(&s->lock);
	poke(s);
}

int faults_start(struct stage2 *s)
{
	const uint64_t modes =
		UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR;
	struct faults *q = &s->faults;
	int r;

	q->window = 1;
	q->uffd = uffd_open();
	if (q->uffd < 0)
		return q->uffd;
	q->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->wake < 0) {
		r = -errno;
		goto undo_uffd;
	}
	r = uffd_watch(q->uffd, s->backing.guest,
		       s->backing.frames << PAGE_SHIFT, modes);
	if (!r)
		r = -pthread_create(&q->thread, NULL, faults_run, s);
	if (!r)
		return 0;
	close(q->wake);
undo_uffd:
	close(q->uffd);
	return r;
}

void faults_stop(struct stage2 *s)
{
	poke(s);
	pthread_join(s->faults.thread, NULL);
	close(s->faults.wake);
	close(s->faults.uffd);
}
