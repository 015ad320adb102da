/* SPDX-License-Identifier: MIT */
/*
 * The fault source: threads that read faults from userfaultfd and have each
 * served. They are as many as vCPUs, so that faults on different pages do not
 * wait for each other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ept/audit.h"
#include "ept/evict.h"
#include "ept/haul.h"
#include "ept/serve.h"
#include "ept/server.h"
#include "ept/uffd.h"

#define READ_MAX 16
#define FLUSH_AT 32 /* stale pages worth a flush */
#define STREAK	 16 /* faults in a row that make a storm */
#define QUIET_MS 5 /* without a fault: the storm is over */
#define REST_MS	 100 /* and then buffers are given back */

/* A fault that failed waits, its vCPU with it, until the owner says retry. One
 * too many is let go: its thread faults again. */
static void park(struct stage2 *s, const struct parked_fault *p)
{
	struct parking *k = &s->parking;
	frame_t f;

	for (unsigned i = 0; i < k->parked; i++)
		if (k->fault[i].gfn.v == p->gfn.v &&
		    k->fault[i].thread == p->thread)
			return; /* a signal made it fault once more */
	if (k->parked < PARKED)
		k->fault[k->parked++] = *p;
	else if (frame_of(s, p->gfn, &f))
		serve_again(s, f);
}

static void retry_parked(struct server *me)
{
	struct parking *k = &me->s->parking;

	me->s->faults.retry = false;
	me->read = 0;
	for (unsigned n = k->parked; n && k->parked; n--) {
		struct parked_fault p = k->fault[0];

		memmove(&k->fault[0], &k->fault[1],
			--k->parked * sizeof(k->fault[0]));
		if (!serve_fault(me, &p))
			park(me->s, &p);
	}
}

void fault_handle(struct server *me, const struct uffd_msg *m)
{
	struct stage2 *s = me->s;
	uint64_t offset =
		m->arg.pagefault.address - (uintptr_t)s->backing.guest;
	struct parked_fault p = {
		.gfn = gfn_of_page(s, offset >> PAGE_SHIFT),
		.flags = m->arg.pagefault.flags,
		.thread = m->arg.pagefault.feat.ptid,
	};

	if (m->event == UFFD_EVENT_PAGEFAULT && !serve_fault(me, &p))
		park(s, &p);
}

/* A storm of faults keeps idle CPUs from halting, where that was found to
 * pay. */
static void storm(struct server *me, bool over)
{
	struct faults *q = &me->s->faults;

	if (q->placement.choice != PLACE_AWAKE)
		return;
	if (over && me->streak >= STREAK)
		wakeful_release(&q->wakeful);
	me->streak = over ? 0 : me->streak + 1;
	if (me->streak == STREAK)
		wakeful_hold(&q->wakeful);
}

static void wait_for_faults(struct server *me)
{
	int ms = me->streak ? QUIET_MS : me->haul->used ? REST_MS : -1;

	if (server_wait(me, ms))
		return;
	if (me->streak)
		storm(me, true);
	else
		haul_rest(me->haul);
}

static void poke(struct stage2 *s)
{
	uint64_t one = 1;

	if (write(s->faults.wake, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN); /* it is awake then */
}

static void calibrate(struct stage2 *s)
{
	struct placement_report r;

	placement_calibrate(&r, s->config.vcpus == 1, &s->faults.wakeful);
	pthread_mutex_lock(&s->lock);
	s->faults.placement = r;
	s->faults.calibrated = true;
	pthread_cond_broadcast(&s->calibrated);
	pthread_mutex_unlock(&s->lock);
}

static void wait_calibrated(struct stage2 *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->faults.calibrated)
		pthread_cond_wait(&s->calibrated, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

/* Now that this fault's vCPU stands still is the time to unmap what was given
 * up: its CPU needs no shootdown. */
static void flush_some(struct stage2 *s)
{
	if (s->stale.n < FLUSH_AT)
		return;
	pthread_mutex_unlock(&s->lock);
	evict_flush(s);
	pthread_mutex_lock(&s->lock);
}

static void *faults_run(void *arg)
{
	struct server *me = arg;
	struct stage2 *s = me->s;
	size_t most = s->faults.servers == 1 ? READ_MAX : 1;

	pthread_setname_np(pthread_self(), "faults");
	if (me->index == 0)
		calibrate(s);
	else
		wait_calibrated(s);
	pthread_mutex_lock(&s->lock);
	spin_init(&me->spin, placement_polls(&s->faults.placement));
	while (!s->stopping) {
		struct uffd_msg m[READ_MAX];
		ssize_t n;

		if (s->faults.retry)
			retry_parked(me);
		pthread_mutex_unlock(&s->lock);
		audit_round(s);
		n = read(s->faults.uffd, m, most * sizeof(m[0]));
		if (n <= 0)
			wait_for_faults(me);
		pthread_mutex_lock(&s->lock);
		if (n > 0) {
			me->read = s->trace ? trace_now() : 0;
			storm(me, false);
			flush_some(s);
		}
		for (ssize_t i = 0; i * (ssize_t)sizeof(m[0]) < n; i++)
			fault_handle(me, &m[i]);
	}
	pthread_mutex_unlock(&s->lock);
	storm(me, true);
	poke(s); /* the next one wakes too */
	return NULL;
}

void stage2_retry(struct stage2 *s)
{
	pthread_mutex_lock(&s->lock);
	s->faults.retry = true;
	s->told_full = false;
	pthread_mutex_unlock(&s->lock);
	if (s->config.paging)
		swap_retry(s->config.swap);
	poke(s);
}

static void join_servers(struct stage2 *s, unsigned started)
{
	poke(s);
	spares_join(s);
	for (unsigned i = 0; i < started; i++)
		pthread_join(s->faults.server[i].thread, NULL);
	for (unsigned i = 0; i < s->faults.servers; i++)
		server_free(&s->faults.server[i]);
}

static int start_servers(struct stage2 *s)
{
	struct faults *q = &s->faults;
	unsigned started = 0;
	int r = 0;

	while (q->servers < s->config.vcpus && !r) {
		r = server_init(&q->server[q->servers], s, q->servers);
		q->servers++;
	}
	for (; started < q->servers && !r; started += r == 0)
		r = -pthread_create(&q->server[started].thread, NULL,
				    faults_run, &q->server[started]);
	if (!r)
		r = spares_start(s);
	if (r) {
		pthread_mutex_lock(&s->lock);
		s->stopping = true;
		pthread_cond_broadcast(&q->watch);
		pthread_mutex_unlock(&s->lock);
		join_servers(s, started);
	}
	return r;
}

int faults_start(struct stage2 *s)
{
	const uint64_t modes =
		UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR;
	struct faults *q = &s->faults;
	int r;

	ahead_init(&q->ahead);
	q->server = calloc(2 * s->config.vcpus, sizeof(*q->server));
	if (!q->server)
		return -ENOMEM;
	q->spare = q->server + s->config.vcpus;
	q->uffd = uffd_open();
	if (q->uffd < 0) {
		r = q->uffd;
		goto undo_server;
	}
	q->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->wake < 0) {
		r = -errno;
		goto undo_uffd;
	}
	wakeful_open(&q->wakeful);
	r = uffd_watch(q->uffd, s->backing.guest,
		       backing_span(&s->backing, s->backing.frames), modes);
	if (!r)
		r = start_servers(s);
	if (!r)
		return 0;
	wakeful_close(&q->wakeful);
	close(q->wake);
undo_uffd:
	close(q->uffd);
undo_server:
	free(q->server);
	return r;
}

void faults_stop(struct stage2 *s)
{
	join_servers(s, s->faults.servers);
	wakeful_close(&s->faults.wakeful);
	close(s->faults.wake);
	/* Who waits in a fault goes on. Not closed yet: a device's access
	 * under way may still name it. */
	uffd_unwatch(s->faults.uffd, s->backing.guest,
		     backing_span(&s->backing, s->backing.frames));
}

void faults_destroy(struct stage2 *s)
{
	close(s->faults.uffd);
	free(s->faults.server);
}
