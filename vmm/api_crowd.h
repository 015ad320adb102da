/* SPDX-License-Identifier: MIT */
/* The clients of the control API: who has a place, who comes, who goes. */
#ifndef VMM_API_CROWD_H
#define VMM_API_CROWD_H

#include "vmm/api_peer.h"

struct crowd {
	struct peer *peer[API_PEERS]; /* NULL: nobody */
};

/* A place for a newcomer: a free one, or that of the peer that has done
 * nothing for longest. API_PEERS: everyone is busy. */
unsigned crowd_place(const struct crowd *c);

/*
 * Give a place to who waits at @listener, if there is one; while there is no
 * descriptor for it, whoever has not got on for longest has to go. 1; 0 there
 * is nobody or no place; -errno: it stays where it is.
 */
int crowd_accept(struct crowd *c, int listener);

void crowd_drop(struct crowd *c, unsigned i);

#endif
