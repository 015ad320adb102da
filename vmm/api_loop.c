/* SPDX-License-Identifier: MIT */
#include "vmm/api_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "vmm/clock.h"
#include "vmm/events.h"

#define ROUND	 64 /* clients that are heard in one, and newcomers */
#define RETRY_MS 50 /* of what would be ready all the time, in vain */
#define HEAR_MS	 500 /* between two times that the desk is asked for news */

/* What is polled for beside the peers is named by its place in @l. */
static int poll_for(struct api_loop *l, int fd, void *name)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = name };

	return epoll_ctl(l->crowd.poll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

int api_loop_init(struct api_loop *l)
{
	int error = crowd_init(&l->crowd, &l->desk);

	if (error) {
		peer_destroy(l->device);
		return error;
	}
	if (l->device)
		error = crowd_add(&l->crowd, l->device);
	if (!error)
		error = poll_for(l, l->stop, &l->stop);
	if (!error && l->desk.events)
		error = poll_for(l, events_fd(l->desk.events), &l->desk);
	if (error)
		crowd_end(&l->crowd);
	return error;
}

void api_loop_end(struct api_loop *l)
{
	crowd_end(&l->crowd);
}

/* Poll would say so again at once. */
static void stay_quiet(struct api_loop *l)
{
	l->quiet_until = clock_ms() + RETRY_MS;
	if (l->device)
		crowd_watch(&l->crowd, l->device, 0);
}

/* Of a device its client has gone, and the next one will come. */
static void end_peer(struct api_loop *l, struct peer *p)
{
	if (p != l->device) {
		crowd_drop(&l->crowd, p);
		return;
	}
	peer_reset(p);
	crowd_settle(&l->crowd, p);
	stay_quiet(l);
}

/* Of a device EPOLLHUP does not say that nobody will take the answer: its
 * kernel may learn of the client after it had the request. Then we ask again in
 * a while, until the answer is late. */
static void serve_peer(struct api_loop *l, struct peer *p, uint32_t events)
{
	bool gone = events & (EPOLLHUP | EPOLLERR);

	if (!peer_step(p, &l->desk) || (gone && p->out && p != l->device)) {
		end_peer(l, p); /* nobody will take an answer */
		return;
	}
	crowd_settle(&l->crowd, p);
	if (gone && p->out)
		stay_quiet(l);
}

/* A turn for each in @queue, up to @last. */
static void serve_queue(struct api_loop *l, enum crowd_queue queue,
			const struct peer *last)
{
	struct peer *next = NULL;

	for (struct peer *p = last ? l->crowd.first[queue] : NULL; p;
	     p = next) {
		next = p == last ? NULL : p->behind;
		serve_peer(l, p, 0);
	}
}

static void drop_late(struct api_loop *l)
{
	int64_t now = clock_ms();

	while (crowd_due(&l->crowd, l->idle_ms) <= now)
		end_peer(l, l->crowd.first[CROWD_BUSY]);
}

/* Who listens is told what there is. */
static void tell_news(struct api_loop *l)
{
	uint64_t news;

	if (read(events_fd(l->desk.events), &news, sizeof(news)) > 0)
		serve_queue(l, CROWD_LISTENING, l->crowd.last[CROWD_LISTENING]);
}

static bool may_hear(const struct api_loop *l)
{
	return l->desk.hear && l->crowd.first[CROWD_LISTENING];
}

static void hear_news(struct api_loop *l)
{
	if (!may_hear(l) || clock_ms() < l->heard + HEAR_MS)
		return;
	l->desk.hear(l->desk.ctx);
	l->heard = clock_ms();
}

/* What a newcomer wants is often there already. */
static void accept_peers(struct api_loop *l)
{
	struct peer *p;
	int r = 1;

	for (unsigned n = 0; n < ROUND; n++) {
		r = crowd_accept(&l->crowd, l->listener, &p);
		if (r <= 0)
			break;
		serve_peer(l, p, 0);
	}
	if (r < 0)
		stay_quiet(l);
}

/* Look at the listener, or the device, or not. */
static void watch_door(struct api_loop *l, bool quiet)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = &l->listener };
	bool listens = !quiet && crowd_has_place(&l->crowd);

	if (l->device) {
		if (!quiet)
			crowd_watch(&l->crowd, l->device,
				    peer_events(l->device));
		return;
	}
	if (listens != l->listens &&
	    !epoll_ctl(l->crowd.poll, listens ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
		       l->listener, &e))
		l->listens = listens;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* For how many milliseconds nothing has to be done, if nobody says anything;
 * -1: for ever. */
static int leisure(const struct api_loop *l, int64_t now)
{
	int64_t until = crowd_due(&l->crowd, l->idle_ms);

	if (l->crowd.first[CROWD_READY])
		return 0;
	if (may_hear(l))
		until = sooner(until, l->heard + HEAR_MS);
	if (now < l->quiet_until)
		until = sooner(until, l->quiet_until);
	if (until == INT64_MAX)
		return -1;
	return until > now ? (int)(until - now) : 0;
}

/*
 * Serve those of @n events that are peers'; the others as a set of bits. A peer
 * that is ready has its turn anyway. Newcomers wait until this is done: they
 * may send peers away that are in @e.
 */
enum { STOP = 1, NEWS = 2, KNOCK = 4 };

static unsigned serve_events(struct api_loop *l, const struct epoll_event *e,
			     int n)
{
	unsigned others = 0;

	for (int i = 0; i < n; i++) {
		void *name = e[i].data.ptr;

		if (name == &l->stop)
			others |= STOP;
		else if (name == &l->desk)
			others |= NEWS;
		else if (name == &l->listener)
			others |= KNOCK;
		else if (((struct peer *)name)->queue != CROWD_READY)
			serve_peer(l, name, e[i].events);
	}
	return others;
}

/* False: it is over. */
static bool serve_round(struct api_loop *l)
{
	const struct peer *last = l->crowd.last[CROWD_READY];
	struct epoll_event e[ROUND];
	int64_t now = clock_ms();
	unsigned others;
	int n;

	watch_door(l, now < l->quiet_until);
	n = epoll_wait(l->crowd.poll, e, ROUND, leisure(l, now));
	others = serve_events(l, e, n);
	serve_queue(l, CROWD_READY, last);
	if (others & NEWS)
		tell_news(l);
	hear_news(l);
	if (n < ROUND) /* else who seems late may be in the next one */
		drop_late(l);
	if (others & KNOCK)
		accept_peers(l);
	return !(others & STOP);
}

void *api_loop_run(void *loop)
{
	struct api_loop *l = loop;

	while (serve_round(l))
		continue;
	for (unsigned q = 0; q < CROWD_QUEUES; q++)
		for (struct peer *p = l->crowd.first[q]; p; p = p->behind)
			peer_end_stream(p, &l->desk);
	return NULL;
}
