/* SPDX-License-Identifier: MIT */
/*
 * The clients of the control API: who has a place, who comes, who goes, whose
 * turn it is. Each stands in one of four queues, behind those that have been
 * so for longer. What concerns one client costs the same among a thousand.
 */
#ifndef VMM_API_CROWD_H
#define VMM_API_CROWD_H

#include "vmm/api_peer.h"

enum crowd_queue {
	CROWD_READY, /* has more to do at once: waits for its turn */
	CROWD_BUSY, /* a request half here or an answer half taken: is timed */
	CROWD_IDLE, /* nothing under way: goes where a place is needed */
	CROWD_LISTENING, /* is told what happens */
	CROWD_QUEUES
};

struct crowd {
	const struct api_desk *desk;
	int poll; /* an epoll, which names peers by their address */
	unsigned n; /* of peers, API_PEERS at most */
	struct peer *first[CROWD_QUEUES], *last[CROWD_QUEUES];
};

/* 0 or -errno. */
int crowd_init(struct crowd *c, const struct api_desk *desk);
/* Everyone goes. */
void crowd_end(struct crowd *c);

/* May one more come? */
bool crowd_has_place(const struct crowd *c);
/* Take @p in, who is the crowd's from now on. 0, or -errno: it is destroyed. */
int crowd_add(struct crowd *c, struct peer *p);
/*
 * Give a place to who waits at @listener, if there is one, and that of an idle
 * peer if there is no other; while there is no descriptor for it, whoever has
 * not got on for longest has to go. 1 and *to; 0 there is nobody or no place;
 * -errno: it stays where it is.
 */
int crowd_accept(struct crowd *c, int listener, struct peer **to);
void crowd_drop(struct crowd *c, struct peer *p);

/* Something has happened to @p: into which queue with it, what to poll for? */
void crowd_settle(struct crowd *c, struct peer *p);
/* Poll for @events of @p; 0: it is left alone, even if it hangs up. 0, or -errno:
 * as before. */
int crowd_watch(struct crowd *c, struct peer *p, uint32_t events);

/* When the first one runs out of time that has @limit_ms; INT64_MAX: nobody. */
int64_t crowd_due(const struct crowd *c, int64_t limit_ms);

#endif
