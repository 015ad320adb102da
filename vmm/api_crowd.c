/* SPDX-License-Identifier: MIT */
#include "vmm/api_crowd.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

int crowd_init(struct crowd *c, const struct api_desk *desk)
{
	*c = (struct crowd){ .desk = desk,
			     .poll = epoll_create1(EPOLL_CLOEXEC) };
	return c->poll < 0 ? -errno : 0;
}

void crowd_end(struct crowd *c)
{
	for (unsigned q = 0; q < CROWD_QUEUES; q++)
		while (c->first[q])
			crowd_drop(c, c->first[q]);
	close(c->poll);
}

static enum crowd_queue queue_of(const struct crowd *c, const struct peer *p)
{
	if (peer_is_ready(p, c->desk))
		return CROWD_READY;
	if (p->streaming)
		return CROWD_LISTENING;
	return peer_idle(p) ? CROWD_IDLE : CROWD_BUSY;
}

static void leave(struct crowd *c, struct peer *p)
{
	*(p->before ? &p->before->behind : &c->first[p->queue]) = p->behind;
	*(p->behind ? &p->behind->before : &c->last[p->queue]) = p->before;
}

/* Behind all that have been there for as long: the last ones, nearly always. */
static void join(struct crowd *c, struct peer *p)
{
	enum crowd_queue queue = queue_of(c, p);
	struct peer *before = c->last[queue];

	while (before && before->queued > p->since)
		before = before->before;
	p->queue = queue;
	p->queued = p->since;
	p->before = before;
	p->behind = before ? before->behind : c->first[queue];
	*(before ? &before->behind : &c->first[queue]) = p;
	*(p->behind ? &p->behind->before : &c->last[queue]) = p;
}

int crowd_watch(struct crowd *c, struct peer *p, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = p };
	int what = !p->watched ? EPOLL_CTL_ADD
		   : events    ? EPOLL_CTL_MOD
			       : EPOLL_CTL_DEL;

	if (events == p->watched)
		return 0;
	if (epoll_ctl(c->poll, what, p->fd, &e))
		return -errno;
	p->watched = events;
	return 0;
}

void crowd_settle(struct crowd *c, struct peer *p)
{
	if (queue_of(c, p) != p->queue || p->since != p->queued) {
		leave(c, p);
		join(c, p);
	}
	crowd_watch(c, p, peer_events(p));
}

bool crowd_has_place(const struct crowd *c)
{
	return c->n < API_PEERS || c->first[CROWD_IDLE];
}

void crowd_drop(struct crowd *c, struct peer *p)
{
	leave(c, p);
	c->n--;
	/* A process forked just now may hold its file open a while. */
	crowd_watch(c, p, 0);
	peer_destroy(p);
}

int crowd_add(struct crowd *c, struct peer *p)
{
	int error = crowd_watch(c, p, peer_events(p));

	if (error) {
		peer_destroy(p);
		return error;
	}
	if (c->n == API_PEERS)
		crowd_drop(c, c->first[CROWD_IDLE]);
	c->n++;
	join(c, p);
	return 0;
}

/* Whoever has not got on for longest makes room. */
static bool drop_slowest(struct crowd *c)
{
	struct peer *busy = c->first[CROWD_BUSY], *idle = c->first[CROWD_IDLE];

	if (!busy && !idle)
		return false;
	crowd_drop(c,
		   !busy || (idle && idle->since < busy->since) ? idle : busy);
	return true;
}

static bool out_of_descriptors(int error)
{
	return error == EMFILE || error == ENFILE;
}

int crowd_accept(struct crowd *c, int listener, struct peer **to)
{
	int fd;

	if (!crowd_has_place(c))
		return 0;
	do
		fd = accept4(listener, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (fd < 0 && out_of_descriptors(errno) && drop_slowest(c));
	if (fd < 0)
		return errno == EAGAIN || errno == EINTR ||
				       errno == ECONNABORTED
			       ? 0
			       : -errno;
	*to = peer_create(fd, false);
	if (!*to)
		return -ENOMEM;
	int error = crowd_add(c, *to);
	return error ? error : 1;
}

int64_t crowd_due(const struct crowd *c, int64_t limit_ms)
{
	const struct peer *p = c->first[CROWD_BUSY];

	return p ? p->since + limit_ms : INT64_MAX;
}
