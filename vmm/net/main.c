/* SPDX-License-Identifier: MIT */
/*
 * twofold-net: a guest's own network, 10.0.2.0/24, by libslirp. Started by
 * vmm/net_user.c with the number of a socket that carries packets:
 *
 *     twofold-net SOCKET
 *
 *     10.0.2.2    this host, its loopback too, and the way to all others
 *     10.0.2.3    answers name queries as this host would
 *     10.0.2.15   what the guest gets from DHCP
 *
 * The guest's connections are this process's own, so it can reach what this
 * user can, and nobody can reach the guest. It ends when the socket does.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "devices/virtio_net.h"

#define POLLS 1024 /* descriptors; more are not listened to */
#define BATCH 64 /* packets of the guest's, then its connections' turn */

struct network {
	Slirp *slirp;
	struct pollfd poll[POLLS]; /* the guest's socket is the first */
	unsigned polls;
};

/* To the guest; while it does not take it, it is lost, as on a wire. */
static ssize_t send_frame(const void *frame, size_t len, void *opaque)
{
	const struct network *n = opaque;
	struct net_header header = { .flags = 0 };
	struct iovec part[] = { { &header, sizeof(header) },
				{ (void *)frame, len } };
	struct msghdr m = { .msg_iov = part, .msg_iovlen = 2 };

	sendmsg(n->poll[0].fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	return (ssize_t)len;
}

static void guest_error(const char *text, void *opaque)
{
	(void)text, (void)opaque;
}

static int64_t clock_ns(void *opaque)
{
	struct timespec t;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Timers are for IPv6, which this network has not. */
static void *timer_new(SlirpTimerCb call, void *ctx, void *opaque)
{
	(void)call, (void)ctx, (void)opaque;
	abort();
}

static void timer_free(void *timer, void *opaque)
{
	(void)timer, (void)opaque;
}

static void timer_mod(void *timer, int64_t expires_ms, void *opaque)
{
	(void)timer, (void)expires_ms, (void)opaque;
}

/* Every descriptor is asked for by add_poll before each poll. */
static void register_fd(int fd, void *opaque)
{
	(void)fd, (void)opaque;
}

static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = send_frame,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = register_fd,
	.unregister_poll_fd = register_fd,
	.notify = notify,
};

static const struct {
	short host;
	int slirp;
} event[] = {
	{ POLLIN, SLIRP_POLL_IN },   { POLLOUT, SLIRP_POLL_OUT },
	{ POLLPRI, SLIRP_POLL_PRI }, { POLLERR, SLIRP_POLL_ERR },
	{ POLLHUP, SLIRP_POLL_HUP },
};

#define EVENTS (sizeof(event) / sizeof(event[0]))

static int add_poll(int fd, int events, void *opaque)
{
	struct network *n = opaque;
	struct pollfd *p = &n->poll[n->polls];

	if (n->polls == POLLS)
		return -1;
	*p = (struct pollfd){ .fd = fd };
	for (unsigned i = 0; i < EVENTS; i++)
		if (events & event[i].slirp)
			p->events |= event[i].host;
	return (int)n->polls++;
}

static int get_events(int index, void *opaque)
{
	const struct network *n = opaque;
	int events = 0;

	for (unsigned i = 0; index > 0 && i < EVENTS; i++)
		if (n->poll[index].revents & event[i].host)
			events |= event[i].slirp;
	return events;
}

/* Packets of the guest's. False: it is gone. */
static bool hear(struct network *n)
{
	static uint8_t packet[NET_PACKET_MAX];
	const size_t header = sizeof(struct net_header);

	for (unsigned i = 0; i < BATCH; i++) {
		ssize_t len = recv(n->poll[0].fd, packet, sizeof(packet),
				   MSG_DONTWAIT);

		if (len <= 0)
			return len < 0 && (errno == EAGAIN || errno == EINTR);
		slirp_input(n->slirp, packet + header,
			    (int)((size_t)len - header));
	}
	return true;
}

static bool turn(struct network *n)
{
	uint32_t ms = UINT32_MAX;
	int r;

	n->polls = 1;
	slirp_pollfds_fill(n->slirp, &ms, add_poll, n);
	r = poll(n->poll, n->polls, ms < 60000 ? (int)ms : 60000);
	slirp_pollfds_poll(n->slirp, r < 0, get_events, n);
	return !n->poll[0].revents || hear(n);
}

static struct in_addr address(uint8_t last)
{
	return (struct in_addr){ htonl(0x0a000200u | last) };
}

int main(int argc, char **argv)
{
	const SlirpConfig config = {
		.version = 4,
		.in_enabled = true,
		.vnetwork = address(0),
		.vnetmask = { htonl(0xffffff00) },
		.vhost = address(2),
		.vnameserver = address(3),
		.vdhcp_start = address(15),
	};
	static struct network n;

	if (argc != 2)
		errx(2, "this is a part of twofold: run --net user");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	n.poll[0] = (struct pollfd){ atoi(argv[1]), POLLIN, 0 };
	n.slirp = slirp_new(&config, &callbacks, &n);
	if (!n.slirp)
		errx(1, "libslirp does not start");
	while (turn(&n))
		;
	return 0;
}
