/* SPDX-License-Identifier: MIT */
/*
 * Streams of bytes from one file descriptor to another, moved without ever
 * waiting: a stream whose reader is slow holds up its own writer only.
 *
 * A stream may end with a mark, a random word that its bytes cannot contain;
 * what comes before is passed on as soon as it can be no part of the mark.
 */
#ifndef VMM_RELAY_H
#define VMM_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define MARK_BYTES   32
#define STREAM_BYTES 4096 /* no more than PIPE_BUF: a ready pipe takes it */

struct stream {
	int from; /* -1: no more to come */
	int to; /* -1: nowhere; the bytes are dropped */
	const char *mark; /* MARK_BYTES long; NULL: ends with its file */
	bool marked; /* the mark was seen: all that was sent has arrived */
	int error; /* -errno of the first failed write, after which the rest */
	size_t held; /* is dropped; bytes held, and how many of these */
	size_t ready; /* may be passed on */
	char bytes[STREAM_BYTES];
};

/* Does @s need no more calls? */
bool stream_done(const struct stream *s);

/* What poll has to look at for @s; fd -1 when there is nothing. */
struct pollfd stream_poll(const struct stream *s);

/* Do what can be done now that poll said @p. */
void stream_move(struct stream *s, const struct pollfd *p);

#endif
