/* SPDX-License-Identifier: MIT */
/*
 * One client of the control API, as the server sees it: bytes in, a request,
 * its answer, bytes out. Nothing more is read before the answer has been
 * taken, so a client holds at most one request and one answer of memory.
 * Only the server's thread touches it.
 */
#ifndef VMM_API_PEER_H
#define VMM_API_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/api.h"

struct peer {
	int fd; /* non-blocking */
	bool device; /* a character device: never over for good */
	bool served; /* has had an answer */
	bool last; /* out is the last answer on this connection */
	bool streaming; /* takes events, from number next on */
	uint64_t next;
	int64_t since; /* that it waits for us or we for it: it connected, began
			* its request or was answered, however it trickles */
	struct http in;
	char chunk[4096]; /* read, of which [chunk_at, chunk_len) is not yet */
	size_t chunk_at, chunk_len; /* taken */
	char *out; /* the answer, of which [out_at, out_len) is not yet sent */
	size_t out_at, out_len;
	/* For vmm/api_crowd.c. */
	unsigned queue; /* which; between these two; as old as since was: */
	struct peer *before, *behind;
	int64_t queued;
	uint32_t watched; /* what is polled for; 0: nothing */
};

/* A peer on @fd, which it owns. NULL: no memory, and @fd is closed. */
struct peer *peer_create(int fd, bool device);
void peer_destroy(struct peer *p);

/* Forget everything that is half-done: another client may come next. */
void peer_reset(struct peer *p);

/* What to poll for. */
uint32_t peer_events(const struct peer *p);

/* Do one thing of what can be done without waiting: at most one read, and one
 * answer or one batch of events. False: this client is over. */
bool peer_step(struct peer *p, const struct api_desk *desk);
/* There is more of it, and poll will not say so. */
bool peer_is_ready(const struct peer *p, const struct api_desk *desk);

/* No more events will come: say so, if this client is told of them. */
void peer_end_stream(struct peer *p, const struct api_desk *desk);

/* Nothing is under way: no part of a request, no answer to take. */
bool peer_idle(const struct peer *p);

#endif
