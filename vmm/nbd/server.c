/* SPDX-License-Identifier: MIT */
/*
 * A lost connection is tried again at once, then after pauses that double up
 * to half a second, so a server that is back is found in less than one. What
 * was under way when it went is sent again: a write of the same bytes to the
 * same place does no harm twice.
 */
#include "vmm/nbd/server.h"

#include <errno.h>
#include <stdio.h>

#include "vmm/clock.h"

#define PAUSE_MIN_MS  10
#define PAUSE_MAX_MS  500
#define CONNECTING_MS 5000 /* the longest handshake */

void server_init(struct server *s, const char *uri, uint64_t bytes)
{
	*s = (struct server){ .uri = uri,
			      .bytes = bytes,
			      .pause_ms = PAUSE_MIN_MS };
}

void server_drop(struct server *s, int64_t now_ms, const char *why)
{
	snprintf(s->why, sizeof(s->why), "%s", why ? why : "connection lost");
	nbd_close(s->nbd);
	s->nbd = NULL;
	if (s->ready)
		s->gone_ms = now_ms;
	s->ready = false;
	s->next_ms = now_ms + s->pause_ms;
	s->pause_ms =
		s->pause_ms * 2 < PAUSE_MAX_MS ? s->pause_ms * 2 : PAUSE_MAX_MS;
}

static void connect_to(struct server *s, int64_t now_ms)
{
	s->nbd = nbd_create();
	s->next_ms = now_ms + CONNECTING_MS;
	if (!s->nbd || nbd_set_pread_initialize(s->nbd, false) ||
	    nbd_aio_connect_uri(s->nbd, s->uri))
		server_drop(s, now_ms, nbd_get_error());
}

/* An export that we cannot store into, or that has lost its end. */
static void inspect(struct server *s, int64_t now_ms)
{
	int64_t size = nbd_get_size(s->nbd);
	char why[sizeof(s->why)] = "";

	s->unfit = 0;
	if (nbd_is_read_only(s->nbd)) {
		s->unfit = -EROFS;
		snprintf(why, sizeof(why), "the export is read-only");
	} else if (size < 0 || (uint64_t)size < s->bytes) {
		s->unfit = -ENXIO;
		snprintf(why, sizeof(why),
			 "the export has %lld bytes, and %llu are needed "
			 "(size=SIZE says how many)",
			 (long long)size, (unsigned long long)s->bytes);
	}
	if (s->unfit) {
		server_drop(s, now_ms, why);
		return;
	}
	s->ready = true;
	s->pause_ms = PAUSE_MIN_MS;
}

bool server_step(struct server *s, int64_t now_ms)
{
	if (!s->nbd && now_ms >= s->next_ms)
		connect_to(s, now_ms);
	if (!s->nbd)
		return true;
	if (nbd_aio_is_dead(s->nbd) || nbd_aio_is_closed(s->nbd))
		server_drop(s, now_ms, nbd_get_error());
	else if (!s->ready && nbd_aio_is_ready(s->nbd))
		inspect(s, now_ms);
	else if (!s->ready && now_ms >= s->next_ms)
		server_drop(s, now_ms, "the server does not answer");
	return !s->nbd;
}

struct pollfd server_poll(const struct server *s)
{
	struct pollfd p = { .fd = -1 };
	unsigned way;

	if (!s->nbd)
		return p;
	p.fd = nbd_aio_get_fd(s->nbd);
	way = nbd_aio_get_direction(s->nbd);
	if (way & LIBNBD_AIO_DIRECTION_READ)
		p.events |= POLLIN;
	if (way & LIBNBD_AIO_DIRECTION_WRITE)
		p.events |= POLLOUT;
	return p;
}

/* What fails here shows in the connection's state. */
void server_event(struct server *s, short events)
{
	unsigned way = nbd_aio_get_direction(s->nbd);

	if (way & LIBNBD_AIO_DIRECTION_READ &&
	    events & (POLLIN | POLLHUP | POLLERR))
		nbd_aio_notify_read(s->nbd);
	else if (way & LIBNBD_AIO_DIRECTION_WRITE &&
		 events & (POLLOUT | POLLHUP | POLLERR))
		nbd_aio_notify_write(s->nbd);
}

/* libnbd ends what a dead connection leaves with ENOTCONN, which no server can
 * say; one that shuts down says so. Both are tried on the next connection. */
static int completed(void *task, int *error)
{
	if (*error != ENOTCONN && *error != ESHUTDOWN)
		desk_done(task, -*error);
	return 1;
}

void server_send(struct server *s, struct task *t)
{
	nbd_completion_callback done = { .callback = completed,
					 .user_data = t };
	int64_t cookie;

	/* The answer may come before the call returns. */
	t->desk->waiting &= ~t->bit;
	t->desk->sent |= t->bit;
	t->touched = true;
	if (t->way == NBD_READ)
		cookie = nbd_aio_pread(s->nbd, t->page, PAGE_SIZE, t->at, done,
				       0);
	else
		cookie = nbd_aio_pwrite(s->nbd, t->page, PAGE_SIZE, t->at, done,
					0);
	if (cookie < 0)
		server_drop(s, clock_ms(), nbd_get_error());
}
