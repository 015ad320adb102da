/* SPDX-License-Identifier: MIT */
#include "vmm/api_peer.h"
#include "vmm/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmm/api_answer.h"
#include "vmm/api_route.h"

struct peer *peer_create(int fd, bool device)
{
	struct peer *p = calloc(1, sizeof(*p));

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
	free(p);
}

void peer_reset(struct peer *p)
{
	free(p->out);
	p->out = NULL;
	p->last = false;
	p->chunk_at = p->chunk_len = 0;
	p->since = clock_ms();
	http_begin(&p->in, HTTP_REQUEST);
}

short peer_events(const struct peer *p)
{
	return p->out ? POLLOUT : POLLIN;
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

/* Answer the request that is complete or refused. False: no memory. */
static bool answer(struct peer *p, const struct vm_control *vm)
{
	struct http_reply reply;

	if (p->in.refusal)
		reply = api_fault(p->in.refusal, "not an acceptable request");
	else
		reply = api_answer(vm, &p->in);
	p->last = p->in.refusal || !p->in.keep_alive;
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
static bool take(struct peer *p, const struct vm_control *vm)
{
	if (is_next_client(p))
		http_begin(&p->in, HTTP_REQUEST);
	if (peer_idle(p))
		p->since = clock_ms();
	p->chunk_at += http_feed(&p->in, p->chunk + p->chunk_at,
				 p->chunk_len - p->chunk_at);
	if (p->in.complete || p->in.refusal)
		return answer(p, vm);
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

bool peer_step(struct peer *p, const struct vm_control *vm)
{
	drop_stale_answer(p);
	if (!flush(p))
		return false;
	/* One read a step, so that no client keeps the others waiting. */
	if (!p->out && p->chunk_at == p->chunk_len && !fill(p))
		return false;
	while (!p->out && p->chunk_at < p->chunk_len)
		if (!take(p, vm) || !flush(p))
			return false;
	return true;
}
