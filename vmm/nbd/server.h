/* SPDX-License-Identifier: MIT */
/* The connection to the NBD server: one at a time, made again whenever it is
 * lost. Nothing here blocks, but for looking up a host's name. */
#ifndef VMM_NBD_SERVER_H
#define VMM_NBD_SERVER_H

#include <libnbd.h>
#include <poll.h>

#include "vmm/nbd/desk.h"

struct server {
	const char *uri;
	uint64_t bytes; /* the least the export must have */
	struct nbd_handle *nbd; /* NULL: not connected nor trying to */
	bool ready; /* takes requests */
	int unfit; /* -errno: what there is now will not do; 0 */
	int64_t gone_ms; /* until ready: since when */
	int64_t next_ms; /* without nbd: when to try; until ready: how long */
	int64_t pause_ms; /* before the try after next */
	char why[160]; /* the last failure */
};

void server_init(struct server *s, const char *uri, uint64_t bytes);

/* Connect if it is time to. Returns whether a connection was lost or given up:
 * what was sent on it is to be recalled. */
bool server_step(struct server *s, int64_t now_ms);
/* Drop the connection: what was sent has no effect here any more. */
void server_drop(struct server *s, int64_t now_ms, const char *why);

struct pollfd server_poll(const struct server *s);
void server_event(struct server *s, short events);

/* Send a task that waits. Needs s->ready; without s->nbd after it, the
 * connection was dropped. */
void server_send(struct server *s, struct task *t);

#endif
