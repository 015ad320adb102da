/* SPDX-License-Identifier: MIT */
/*
 * twofold-nbd: carries pages between a swap tier and an NBD server, so that
 * what libnbd needs is loaded by those alone who use it. Started by
 * vmm/nbd_helper.c, whose words it gets:
 *
 *     twofold-nbd URI BYTES TIMEOUT MEMORY LANE...
 *
 * One thread, one poll: a task waits until there is a server, is sent, and
 * done. It ends when the tier closes a lane or talks nonsense.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "vmm/clock.h"
#include "vmm/nbd/server.h"
#include "vmm/nbd_helper.h"

#define START_MS 10000 /* the longest first connection */
#define TICK_MS	 100 /* how often late tasks are looked for */

struct helper {
	struct server server;
	struct desk desk[NBD_LANES];
	int64_t timeout_ms;
};

static void recall_all(struct helper *h)
{
	for (unsigned i = 0; i < NBD_LANES; i++)
		desk_recall(&h->desk[i]);
}

/* What is late ends; what was sent ends with its connection only, lest it
 * happen later. */
static void end_late(struct helper *h, int64_t now)
{
	bool late = false;

	for (unsigned i = 0; i < NBD_LANES; i++)
		late = late || desk_is_late(&h->desk[i], now);
	if (!late)
		return;
	if (h->server.nbd)
		server_drop(&h->server, now, "the server does not answer");
	h->server.gone_ms = now - h->timeout_ms;
	recall_all(h);
	for (unsigned i = 0; i < NBD_LANES; i++)
		desk_time_out(&h->desk[i], now);
}

/* A server that was away for as long as a task may take, or is the wrong one,
 * lets new tasks fail at once: who asks shall hear it soon. */
static int refusal(const struct helper *h, int64_t now)
{
	if (h->server.unfit || h->server.ready)
		return h->server.unfit;
	return now - h->server.gone_ms >= h->timeout_ms ? -ETIMEDOUT : 0;
}

static void send_waiting(struct helper *h, struct desk *d, int64_t now)
{
	while (d->waiting && h->server.ready)
		server_send(&h->server, desk_first(d, d->waiting));
	if (!h->server.nbd)
		recall_all(h);
	if (refusal(h, now))
		desk_fail(d, refusal(h, now));
}

/* Do all that can be done without waiting. False: the tier is gone. */
static bool advance(struct helper *h)
{
	int64_t now = clock_ms();
	bool good = true;

	if (server_step(&h->server, now))
		recall_all(h);
	end_late(h, now);
	for (unsigned i = 0; i < NBD_LANES; i++) {
		send_waiting(h, &h->desk[i], now);
		good = good && desk_answer(&h->desk[i]);
	}
	return good;
}

static bool has_tasks(const struct helper *h)
{
	for (unsigned i = 0; i < NBD_LANES; i++)
		if (h->desk[i].waiting | h->desk[i].sent)
			return true;
	return false;
}

static int wait_ms(const struct helper *h)
{
	int64_t left = h->server.next_ms - clock_ms();

	if (h->server.ready)
		return has_tasks(h) ? TICK_MS : -1;
	return left < 0 ? 0 : left < TICK_MS ? (int)left : TICK_MS;
}

/* Wait for something to happen, and take it. False: the tier is gone. */
static bool watch(struct helper *h)
{
	struct pollfd p[NBD_LANES + 1];
	bool good = true;

	for (unsigned i = 0; i < NBD_LANES; i++)
		p[i] = (struct pollfd){ h->desk[i].fd, POLLIN, 0 };
	p[NBD_LANES] = server_poll(&h->server);
	if (poll(p, NBD_LANES + 1, wait_ms(h)) < 0)
		return true;
	if (p[NBD_LANES].revents)
		server_event(&h->server, p[NBD_LANES].revents);
	for (unsigned i = 0; i < NBD_LANES; i++)
		if (p[i].revents)
			good = good && desk_hear(&h->desk[i], h->server.bytes,
						 clock_ms() + h->timeout_ms);
	return good;
}

/* The first connection is made once, and its failure told. */
static bool greet(struct helper *h)
{
	struct nbd_hello hello = { .good = false };
	int64_t end = clock_ms() + START_MS;

	while (!server_step(&h->server, clock_ms()) && !h->server.ready &&
	       clock_ms() < end && watch(h))
		;
	hello.good = h->server.ready;
	snprintf(hello.text, sizeof(hello.text), "%s", h->server.why);
	return send(h->desk[0].fd, &hello, sizeof(hello), MSG_NOSIGNAL) ==
		       sizeof(hello) &&
	       hello.good;
}

int main(int argc, char **argv)
{
	static struct helper h;
	uint8_t *pages;

	if (argc != 5 + NBD_LANES)
		errx(2, "this is a part of twofold: run --swap nbd=URI");
	server_init(&h.server, argv[1], strtoull(argv[2], NULL, 10));
	h.timeout_ms = atoi(argv[3]) * 1000;
	pages = mmap(NULL, NBD_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		     atoi(argv[4]), 0);
	if (pages == MAP_FAILED)
		err(1, "shared memory");
	for (unsigned i = 0; i < NBD_LANES; i++)
		desk_init(&h.desk[i], atoi(argv[5 + i]),
			  pages + i * NBD_LANE_BYTES);
	if (!greet(&h))
		return 1;
	while (advance(&h) && watch(&h))
		;
	return 0;
}
