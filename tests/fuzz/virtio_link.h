/* SPDX-License-Identifier: MIT */
/* A network's link for a fuzzer: what comes, what went, and its troubles. */
#ifndef TESTS_FUZZ_VIRTIO_LINK_H
#define TESTS_FUZZ_VIRTIO_LINK_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/virtio_net.h"

/* Packets of these sizes wait, as many as its descriptor counts. */
static struct {
	uint16_t waiting[16], first, n;
	int send_error;
	bool gone; /* it has said so */
	unsigned sent;
	int fd;
} wire;

static ssize_t link_receive(struct net_link *l, void *to, size_t room)
{
	uint64_t one;
	size_t len;

	if (wire.gone || read(l->fd, &one, sizeof(one)) < 0)
		return wire.gone ? -ENODEV : -EAGAIN;
	len = wire.waiting[wire.first++ % 16] * 2u;
	wire.n--;
	if (len > room || !len) {
		wire.gone = true;
		return -ENODEV;
	}
	memset(to, 0x55, len);
	return (ssize_t)len;
}

static int link_send(struct net_link *l, const void *packet, size_t len)
{
	struct net_header h;

	(void)l;
	memcpy(&h, packet, sizeof(h));
	if (wire.gone || len < sizeof(h) + NET_FRAME_MIN ||
	    len > NET_PACKET_MAX || h.hdr_len > len)
		abort();
	wire.sent++;
	wire.gone = wire.send_error == -ENODEV;
	return wire.send_error;
}

static void link_close(struct net_link *l)
{
	close(l->fd);
}

static inline struct net_link link_make(void)
{
	static const struct net_link_ops ops = { .receive = link_receive,
						 .send = link_send,
						 .close = link_close };

	memset(&wire, 0, sizeof(wire));
	wire.fd = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	return (struct net_link){
		.ops = &ops,
		.fd = wire.fd,
		.offloads = NET_OFFLOADS,
	};
}

static inline void packet_comes(uint64_t half)
{
	const uint64_t one = 1;

	if (wire.n == 16)
		return;
	wire.waiting[(wire.first + wire.n++) % 16] = (uint16_t)half;
	if (write(wire.fd, &one, sizeof(one)) < 0)
		abort();
}

/* What waits must not tell the device that its link is gone. */
static inline void silence(void)
{
	uint64_t one;

	while (read(wire.fd, &one, sizeof(one)) > 0)
		;
}

#endif
