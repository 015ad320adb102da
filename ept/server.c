/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ept/haul.h"
#include "ept/server.h"

/* A fault wakes one of those who wait, a poke may wake all. */
static int watch(int waits, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	return epoll_ctl(waits, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

int server_init(struct server *me, struct stage2 *s, unsigned index)
{
	int r;

	*me = (struct server){ .s = s, .index = index };
	me->waits = epoll_create1(EPOLL_CLOEXEC);
	if (me->waits < 0)
		return -errno;
	r = watch(me->waits, s->faults.uffd, EPOLLIN | EPOLLEXCLUSIVE);
	if (!r)
		r = watch(me->waits, s->faults.wake, EPOLLIN);
	if (!r)
		me->haul = haul_new();
	return r || me->haul ? r : -ENOMEM;
}

void server_free(struct server *me)
{
	if (me->waits >= 0)
		close(me->waits);
	haul_free(me->haul);
}

static bool comes_within(const struct server *me, int ms)
{
	struct epoll_event e[2];
	int n = epoll_wait(me->waits, e, 2, ms);
	uint64_t token;

	for (int i = 0; i < n; i++)
		if (e[i].data.fd == me->s->faults.wake &&
		    read(e[i].data.fd, &token, sizeof(token)) < 0)
			assert(errno == EAGAIN); /* another one took it */
	return n > 0;
}

static bool comes_while_polling(const struct server *me, uint64_t since)
{
	while (trace_now() - since < atomic_load(&me->spin.budget))
		if (comes_within(me, 0))
			return true;
	return false;
}

bool server_wait(struct server *me, int ms)
{
	uint64_t start = trace_now();
	bool polled = comes_while_polling(me, start);
	bool came = polled || comes_within(me, ms);

	spin_learn(&me->spin, trace_now() - start, !polled);
	return came;
}
