/* SPDX-License-Identifier: MIT */
/*
 * Spare servers. A server may be at one fault for as long as a tier does not
 * answer: often not for its vCPU, which has its page and runs, but for the
 * pages behind it. Then nobody reads the faults of those whose pages are at
 * hand, nor counts their wait. So there is a spare for each server. It reads
 * faults while more servers and spares are stuck than there are spares before
 * it, and brings touched pages only: where a spare is stuck, a vCPU waits for
 * just that page. So, with as many servers as vCPUs, one is always left.
 *
 * All that a fault pays is the time of day: while any are served the spares look
 * at the servers 20 times a second, else they sleep.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "ept/clock.h"
#include "ept/deadline.h"
#include "ept/haul.h"
#include "ept/serve.h"
#include "ept/uffd.h"

#define STUCK_MS 50
#define STUCK_NS (STUCK_MS * UINT64_C(1000000))

static unsigned count_at_work(const struct server *server, unsigned n,
			      uint64_t since)
{
	unsigned at_work = 0;

	for (unsigned i = 0; i < n; i++)
		at_work += server[i].since && server[i].since <= since;
	return at_work;
}

/* How many are at the fault that they were at @ago ns ago? */
static unsigned at_work(const struct stage2 *s, uint64_t ago)
{
	const struct faults *q = &s->faults;
	const uint64_t since = clock_ns() - ago;

	return count_at_work(q->server, q->servers, since) +
	       count_at_work(q->spare, q->spares, since);
}

void spare_begin(struct server *me)
{
	struct faults *q = &me->s->faults;

	me->since = clock_ns();
	if (q->asleep)
		pthread_cond_broadcast(&q->watch);
}

void spare_end(struct server *me)
{
	me->since = 0;
}

/* Serve a fault, or wait for one a while. The lock is dropped meanwhile. */
static void help(struct server *me)
{
	struct stage2 *s = me->s;
	struct pollfd p = { .fd = s->faults.uffd, .events = POLLIN };
	struct uffd_msg m;
	ssize_t n;

	pthread_mutex_unlock(&s->lock);
	n = read(s->faults.uffd, &m, sizeof(m));
	if (n <= 0)
		poll(&p, 1, STUCK_MS);
	pthread_mutex_lock(&s->lock);
	me->read = s->trace ? trace_now() : 0;
	if (n > 0)
		fault_handle(me, &m);
}

/* Until somebody begins with a fault. */
static void sleep_long(struct server *me)
{
	struct stage2 *s = me->s;

	if (me->haul->used) {
		pthread_mutex_unlock(&s->lock);
		haul_rest(me->haul);
		pthread_mutex_lock(&s->lock);
		return; /* much may have changed */
	}
	s->faults.asleep++;
	pthread_cond_wait(&s->faults.watch, &s->lock);
	s->faults.asleep--;
}

/* To its end, though others are woken: while faults come quickly one in so many
 * wakes us, not each. */
static void nap(struct stage2 *s)
{
	struct timespec until = deadline_in(STUCK_MS);

	while (!s->stopping &&
	       pthread_cond_timedwait(&s->faults.watch, &s->lock, &until) !=
		       ETIMEDOUT)
		;
}

static void *spare_run(void *arg)
{
	struct server *me = arg;
	struct stage2 *s = me->s;

	pthread_setname_np(pthread_self(), "spare");
	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		if (!at_work(s, 0))
			sleep_long(me);
		nap(s);
		while (!s->stopping && at_work(s, STUCK_NS) > me->index)
			help(me);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int spares_start(struct stage2 *s)
{
	struct faults *q = &s->faults;
	int r = 0;

	while (q->spares < q->servers && !r) {
		struct server *me = &q->spare[q->spares];

		*me = (struct server){ .s = s,
				       .index = q->spares,
				       .is_spare = true };
		me->haul = haul_new();
		r = me->haul ? -pthread_create(&me->thread, NULL, spare_run, me)
			     : -ENOMEM;
		if (r)
			haul_free(me->haul);
		pthread_mutex_lock(&s->lock); /* others run already */
		q->spares += r == 0;
		pthread_mutex_unlock(&s->lock);
	}
	return r;
}

void spares_join(struct stage2 *s)
{
	struct faults *q = &s->faults;

	for (unsigned i = 0; i < q->spares; i++)
		pthread_join(q->spare[i].thread, NULL);
	for (unsigned i = 0; i < q->spares; i++)
		haul_free(q->spare[i].haul);
}
