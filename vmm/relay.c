/* SPDX-License-Identifier: MIT */
#include "vmm/relay.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool stream_done(const struct stream *s)
{
	return s->from < 0 && !s->ready;
}

struct pollfd stream_poll(const struct stream *s)
{
	if (s->ready)
		return (struct pollfd){ .fd = s->to, .events = POLLOUT };
	return (struct pollfd){ .fd = s->from, .events = POLLIN };
}

/* How many of the first bytes are surely in front of the mark. */
static size_t before_mark(const struct stream *s)
{
	for (size_t at = 0; at < s->held; at++) {
		size_t n = s->held - at;

		if (!memcmp(s->bytes + at, s->mark,
			    n < MARK_BYTES ? n : MARK_BYTES))
			return at;
	}
	return s->held;
}

static void end(struct stream *s)
{
	s->from = -1;
	s->ready = s->held;
}

static void find_mark(struct stream *s)
{
	s->ready = before_mark(s);
	if (s->held - s->ready < MARK_BYTES)
		return;
	s->marked = true;
	s->held = s->ready;
	end(s);
}

static void fill(struct stream *s)
{
	ssize_t n = read(s->from, s->bytes + s->held, STREAM_BYTES - s->held);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(s);
		return;
	}
	s->held += (size_t)n;
	if (s->mark)
		find_mark(s);
	else
		s->ready = s->held;
}

static void drop(struct stream *s, size_t n)
{
	s->held -= n;
	s->ready -= n;
	memmove(s->bytes, s->bytes + n, s->held);
}

static void flush(struct stream *s)
{
	ssize_t n = write(s->to, s->bytes, s->ready);

	if (n > 0) {
		drop(s, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		s->error = n ? -errno : -EIO;
		s->to = -1;
	}
}

void stream_move(struct stream *s, const struct pollfd *p)
{
	if (!s->ready && p->revents && s->from >= 0)
		fill(s);
	else if (s->ready && p->revents && s->to >= 0)
		flush(s);
	if (s->to < 0)
		drop(s, s->ready);
}
