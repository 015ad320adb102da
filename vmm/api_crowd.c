/* SPDX-License-Identifier: MIT */
#include "vmm/api_crowd.h"

#include <errno.h>
#include <sys/socket.h>

unsigned crowd_place(const struct crowd *c)
{
	unsigned best = API_PEERS;

	for (unsigned i = 0; i < API_PEERS; i++) {
		const struct peer *p = c->peer[i];

		if (!p)
			return i;
		if (peer_idle(p) &&
		    (best == API_PEERS || p->since < c->peer[best]->since))
			best = i;
	}
	return best;
}

void crowd_drop(struct crowd *c, unsigned i)
{
	peer_destroy(c->peer[i]);
	c->peer[i] = NULL;
}

/* Whoever has not got on for longest makes room. */
static bool drop_slowest(struct crowd *c)
{
	unsigned slowest = API_PEERS;

	for (unsigned i = 0; i < API_PEERS; i++)
		if (c->peer[i] && !c->peer[i]->streaming &&
		    (slowest == API_PEERS ||
		     c->peer[i]->since < c->peer[slowest]->since))
			slowest = i;
	if (slowest == API_PEERS)
		return false;
	crowd_drop(c, slowest);
	return true;
}

static bool out_of_descriptors(int error)
{
	return error == EMFILE || error == ENFILE;
}

int crowd_accept(struct crowd *c, int listener)
{
	unsigned i = crowd_place(c);
	int fd;

	if (i == API_PEERS)
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
	crowd_drop(c, i);
	c->peer[i] = peer_create(fd, false);
	return 1;
}
