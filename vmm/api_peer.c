/* SPDX-License-Identifier: MIT */
#include "vmm/api_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ept/zeroed.h"
#include "vmm/api_answer.h"
#include "vmm/clock.h"
#include "vmm/events.h"

#define BATCH 32 /* events that are sent together */

struct peer *peer_create(int fd, bool device)
{
	struct peer *p = zeroed_new(sizeof(*p));

	if (!p) {
		close(fd);
		return NULL;
	}
	p->fd = fd;
	p->device = device;
	peer_reset(p);
	return p;
}

void peer_destroy(struct peer *p)
{
	if (!p)
		return;
	close(p->fd);
	free(p->out);
	zeroed_free(p, sizeof(*p));
}

void peer_reset(struct peer *p)
{
	free(p->out);
	p->out = NULL;
	p->last = p->streaming = false;
	p->chunk_at = p->chunk_len = 0;
	p->since = clock_ms();
	http_begin(&p->in, HTTP_REQUEST);
}

uint32_t peer_events(const struct peer *p)
{
	if (p->streaming)
		return EPOLLIN | (p->out ? EPOLLOUT : 0);
	return p->out ? EPOLLOUT : EPOLLIN;
}

bool peer_is_ready(const struct peer *p, const struct api_desk *desk)
{
	if (p->out)
		return false;
	return p->streaming ? p->next < events_next(desk->events)
			    : p->chunk_at < p->chunk_len;
}

bool peer_idle(const struct peer *p)
{
	return !p->in.bytes && !p->out && (p->served || p->device);
}

/* Read more into the empty chunk. False: the client has gone. */
static bool fill(struct peer *p)
{
	/* File descriptors sent along are closed by read: it takes none. */
	ssize_t n = read(p->fd, p->chunk, sizeof(p->chunk));

	p->chunk_at = 0;
	p->chunk_len = n > 0 ? (size_t)n : 0;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Send what the client takes. False: it has gone, or had its last answer. */
static bool flush(struct peer *p)
{
	while (p->out && p->out_at < p->out_len) {
		/* SIGPIPE is blocked in this thread. */
		ssize_t n = write(p->fd, p->out + p->out_at,
				  p->out_len - p->out_at);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		p->out_at += (size_t)n;
	}
	free(p->out);
	p->out = NULL;
	return !p->last || p->device;
}

/* From now on @p is told what happens. A serial port is for all clients. */
static struct http_reply start_stream(struct peer *p, struct http_reply reply,
				      const struct api_desk *desk)
{
	if (p->device || !desk->events)
		return api_fault(HTTP_STATUS_BAD_REQUEST,
				 "no stream here: GET /events/after/N");
	p->streaming = true;
	p->next = events_next(desk->events);
	return reply;
}

/* Answer the request that is complete or refused. False: no memory. */
static bool answer(struct peer *p, const struct api_desk *desk)
{
	struct http_reply reply;

	if (p->in.refusal)
		reply = api_fault(p->in.refusal, "not an acceptable request");
	else
		reply = desk->answer(desk->ctx, &p->in);
	if (reply.stream)
		reply = start_stream(p, reply, desk);
	p->last = p->in.refusal || (!p->in.keep_alive && !p->streaming);
	/* Where a refused request ends is not known: the rest goes with it. */
	if (p->in.refusal)
		p->chunk_at = p->chunk_len;
	p->out = http_format(&reply, &p->in, !p->last, &p->out_len);
	p->out_at = 0;
	free(reply.body);

	http_begin(&p->in, HTTP_REQUEST);
	p->served = true;
	p->since = clock_ms();
	return p->out;
}

/*
 * A device may have a new client although nobody saw the old one go: both can
 * happen between two calls of poll. What a read returns is of one client, and
 * the line that a request begins with is never a later part of one: so this
 * is somebody else's, and the half that we have is of one who left.
 */
static bool is_next_client(const struct peer *p)
{
	return p->device && p->in.bytes && p->chunk_at == 0 &&
	       http_begins_request(p->chunk, p->chunk_len);
}

/* Take the chunk up to the end of a request. False: no memory. */
static bool take(struct peer *p, const struct api_desk *desk)
{
	if (is_next_client(p))
		http_begin(&p->in, HTTP_REQUEST);
	if (peer_idle(p))
		p->since = clock_ms();
	p->chunk_at += http_feed(&p->in, p->chunk + p->chunk_at,
				 p->chunk_len - p->chunk_at);
	if (p->in.complete || p->in.refusal)
		return answer(p, desk);
	return true;
}

/* Who asks while an answer waits is the device's next client: the one that it
 * was for has left. */
static void drop_stale_answer(struct peer *p)
{
	if (!p->device || !p->out || p->chunk_at < p->chunk_len || !fill(p) ||
	    !http_begins_request(p->chunk, p->chunk_len))
		return;
	free(p->out);
	p->out = NULL;
}

/* The next events as one chunk each (RFC 9112, 7.1), a line of JSON. */
static char *format_events(const struct api_desk *desk, uint64_t *next,
			   size_t *len)
{
	json_t *list = events_list(desk->events, *next, BATCH), *line;
	char *text = NULL;
	FILE *f = open_memstream(&text, len);
	size_t i;

	json_array_foreach(list, i, line)
	{
		char *json = json_dumps(line, JSON_COMPACT);

		if (f && json)
			fprintf(f, "%zx\r\n%s\n\r\n", strlen(json) + 1, json);
		free(json);
	}
	*next += json_array_size(list);
	json_decref(list);
	if (f && !fclose(f))
		return text;
	free(text);
	return NULL;
}

/* False: this listener has gone, or is too slow. */
static bool stream(struct peer *p, const struct api_desk *desk)
{
	if (!fill(p) || events_lost(desk->events, &p->next))
		return false;
	p->chunk_at = p->chunk_len; /* nobody wants to know */
	if (!peer_is_ready(p, desk))
		return true;
	p->out = format_events(desk, &p->next, &p->out_len);
	p->out_at = 0;
	return p->out && flush(p);
}

void peer_end_stream(struct peer *p, const struct api_desk *desk)
{
	static const char last[] = "0\r\n\r\n";
	bool here = p->streaming && flush(p);

	while (here && peer_is_ready(p, desk))
		here = stream(p, desk);
	if (here && !p->out && write(p->fd, last, strlen(last)) < 0)
		p->last = true; /* it has gone just now */
}

bool peer_step(struct peer *p, const struct api_desk *desk)
{
	drop_stale_answer(p);
	if (!flush(p))
		return false;
	if (p->streaming)
		return stream(p, desk);
	if (!p->out && p->chunk_at == p->chunk_len && !fill(p))
		return false;
	if (!peer_is_ready(p, desk))
		return true;
	return take(p, desk) && flush(p);
}
