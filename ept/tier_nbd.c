/* SPDX-License-Identifier: MIT */
/*
 * Swap on an NBD server. A helper process knows NBD (ept/nbd_wire.h says how
 * it is talked to): it reconnects, sends again what was under way, and gives
 * up a request when the server was away too long. So a call here waits as long
 * as the server is away, and only the caller does: each has a lane of its own.
 *
 * The helper is not trusted to live, nor to talk sense. A lane over which
 * something else came is given up, with the pages in its buffers, which may
 * still change.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "ept/nbd_wire.h"
#include "ept/places.h"

static_assert(TIER_BATCH == NBD_BUFFERS, "a batch goes in one run");

#define PATIENCE_S 10 /* more than the helper should ever take */

struct lane {
	pthread_mutex_t taken;
	int fd;
	uint8_t *buffer; /* NBD_BUFFERS pages */
	_Atomic bool dead;
};

struct tier_nbd {
	struct tier base;
	struct nbd_link link;
	uint8_t *shared;
	struct lane lane[NBD_LANES];
	struct places places;
};

/* What is to be done on a lane, and how it went: item i in buffer i. */
struct run {
	enum nbd_way way;
	unsigned n;
	uint64_t place[TIER_BATCH];
	int error[TIER_BATCH];
	bool untouched[TIER_BATCH];
	uint64_t waiting; /* for a reply: a bit an item */
};

static struct tier_nbd *nbd_of(struct tier *t)
{
	return (struct tier_nbd *)t;
}

/* Waits only when more threads call than there are lanes that live. */
static struct lane *lane_claim(struct tier_nbd *t)
{
	struct lane *last = &t->lane[0];

	for (unsigned i = 0; i < NBD_LANES; i++) {
		if (t->lane[i].dead)
			continue;
		last = &t->lane[i];
		if (pthread_mutex_trylock(&last->taken) == 0)
			return last;
	}
	pthread_mutex_lock(&last->taken);
	return last;
}

static void lane_leave(struct lane *l)
{
	pthread_mutex_unlock(&l->taken);
}

/* Ask for the items in r->waiting. False: the helper is gone. */
static bool ask(struct lane *l, const struct run *r)
{
	struct nbd_request q[TIER_BATCH];
	uint64_t rest = r->waiting;
	size_t n = 0;
	ssize_t sent;

	while (rest) {
		unsigned i = (unsigned)__builtin_ctzll(rest);

		rest &= rest - 1;
		q[n++] = (struct nbd_request){ r->place[i] << PAGE_SHIFT, i,
					       r->way };
	}
	do
		sent = send(l->fd, q, n * sizeof(*q), MSG_NOSIGNAL);
	while (sent < 0 && (errno == EINTR || errno == EAGAIN));
	return sent == (ssize_t)(n * sizeof(*q));
}

static bool take_reply(struct run *r, const struct nbd_reply *reply)
{
	uint64_t bit;

	if (reply->buffer >= r->n || reply->error > 0)
		return false;
	bit = UINT64_C(1) << reply->buffer;
	if (!(r->waiting & bit))
		return false;
	r->waiting &= ~bit;
	r->error[reply->buffer] = reply->error;
	r->untouched[reply->buffer] = reply->untouched;
	return true;
}

/* Take some replies. False: the helper is gone, silent for too long, or does
 * not talk sense. */
static bool hear(struct lane *l, struct run *r)
{
	struct nbd_reply reply[TIER_BATCH];
	ssize_t n;

	do
		n = recv(l->fd, reply, sizeof(reply), 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0 || (size_t)n % sizeof(*reply))
		return false;
	for (size_t i = 0; i < (size_t)n / sizeof(*reply); i++)
		if (!take_reply(r, &reply[i]))
			return false;
	return true;
}

/* False: nobody could be asked. */
static bool run_once(struct lane *l, struct run *r, uint64_t items)
{
	uint64_t all = items;

	while (all) {
		r->error[__builtin_ctzll(all)] = -EIO;
		all &= all - 1;
	}
	r->waiting = items;
	l->dead = l->dead || !ask(l, r);
	if (l->dead)
		return false;
	while (r->waiting && !l->dead)
		l->dead = !hear(l, r);
	return true;
}

/* Errors that the server gave and may not give again. */
static uint64_t worth_another_try(const struct run *r)
{
	uint64_t items = 0;

	for (unsigned i = 0; i < r->n; i++)
		if (r->error[i] && r->error[i] != -ETIMEDOUT &&
		    !r->untouched[i])
			items |= UINT64_C(1) << i;
	return items;
}

static void run(struct lane *l, struct run *r)
{
	uint64_t again;

	if (!r->n)
		return;
	if (!run_once(l, r, UINT64_MAX >> (64 - r->n)))
		memset(r->untouched, true, sizeof(r->untouched));
	again = worth_another_try(r);
	if (again && !l->dead)
		run_once(l, r, again);
}

/* A place that no write can have reached is as good as before. One that a
 * write may still reach is not used again. */
static void place_failed(struct tier_nbd *t, const struct run *r, unsigned i,
			 bool lane_died)
{
	if (r->untouched[i])
		places_free(&t->places, r->place[i]);
	else if (lane_died || r->error[i] == -ETIMEDOUT)
		places_quarantine(&t->places);
	else
		places_failed(&t->places, r->place[i], r->error[i]);
}

static void store(struct tier *base, struct tier_io *io, unsigned n,
		  bool raw_ok)
{
	struct tier_nbd *t = nbd_of(base);
	struct run r = { .way = NBD_WRITE };
	struct lane *l = lane_claim(t);
	bool died;

	(void)raw_ok; /* every page is raw here */
	r.n = places_take(&t->places, r.place, n);
	for (unsigned i = 0; i < r.n && !l->dead; i++)
		memcpy(l->buffer + i * PAGE_SIZE, io[i].page, PAGE_SIZE);
	run(l, &r);
	died = l->dead;
	lane_leave(l);
	for (unsigned i = 0; i < n; i++) {
		io[i].error = i < r.n ? r.error[i] : -ENOSPC;
		if (i >= r.n)
			continue;
		io[i].where = r.place[i];
		if (io[i].error)
			place_failed(t, &r, i, died);
	}
}

static void load(struct tier *base, struct tier_io *io, unsigned n)
{
	struct tier_nbd *t = nbd_of(base);
	struct run r = { .way = NBD_READ, .n = n };
	struct lane *l = lane_claim(t);

	for (unsigned i = 0; i < n; i++)
		r.place[i] = io[i].where;
	run(l, &r);
	for (unsigned i = 0; i < n; i++) {
		io[i].error = r.error[i];
		if (!io[i].error)
			memcpy(io[i].page, l->buffer + i * PAGE_SIZE,
			       PAGE_SIZE);
	}
	lane_leave(l);
}

static void release(struct tier *base, uint64_t where)
{
	places_free(&nbd_of(base)->places, where);
}

static unsigned bytes(struct tier *base, uint64_t where)
{
	(void)base;
	(void)where;
	return PAGE_SIZE;
}

static void stats(struct tier *base, struct tier_stats *st)
{
	places_stats(&nbd_of(base)->places, st);
}

static void destroy(struct tier *base)
{
	struct tier_nbd *t = nbd_of(base);

	for (unsigned i = 0; i < NBD_LANES; i++)
		pthread_mutex_destroy(&t->lane[i].taken);
	munmap(t->shared, NBD_SHARED_BYTES);
	places_destroy(&t->places);
	t->link.close(&t->link);
	free(t);
}

static const struct tier_ops nbd_ops = {
	.name = "nbd",
	.store = store,
	.load = load,
	.release = release,
	.bytes = bytes,
	.stats = stats,
	.destroy = destroy,
};

static int open_lanes(struct tier_nbd *t)
{
	struct timeval longest = { .tv_sec = t->link.timeout_s + PATIENCE_S };

	t->shared = mmap(NULL, NBD_SHARED_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED, t->link.memory, 0);
	if (t->shared == MAP_FAILED)
		return -errno;
	for (unsigned i = 0; i < NBD_LANES; i++) {
		struct lane *l = &t->lane[i];

		l->fd = t->link.lane[i];
		l->buffer = t->shared + i * NBD_LANE_BYTES;
		setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &longest,
			   sizeof(longest));
		pthread_mutex_init(&l->taken, NULL);
	}
	return 0;
}

int tier_nbd_create(struct tier **out, const struct nbd_link *link,
		    uint64_t size)
{
	struct tier_nbd *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->base.ops = &nbd_ops;
	t->link = *link;
	r = size < PAGE_SIZE ? -EINVAL
			     : places_init(&t->places, size >> PAGE_SHIFT);
	if (r)
		goto undo_alloc;
	r = open_lanes(t);
	if (r)
		goto undo_places;
	*out = &t->base;
	return 0;

undo_places:
	places_destroy(&t->places);
undo_alloc:
	free(t);
	return r;
}
