/* SPDX-License-Identifier: MIT */
/* virtio-net on a link whose other end is the test's. */
#ifndef TESTS_UNIT_NET_FIXTURE_H
#define TESTS_UNIT_NET_FIXTURE_H

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "devices/virtio_net.h"
#include "tests/unit/virtio_fixture.h"

#define SIZE	 16u
#define RECEIVE	 0
#define TRANSMIT 1
#define HEADER	 12u
#define MERGE	 NET_F_MRG_RXBUF
#define FIRST	 14u /* where a frame's payload begins */

static const uint8_t mac[NET_MAC] = { 2, 't', 'f', 0, 0, 7 };
static int wire; /* the other end */
static _Atomic int send_error; /* the link's answer, if not 0 */
static _Atomic uint64_t offloads; /* that the link was told */
static unsigned closed;
static uint8_t packet[NET_PACKET_MAX + 1], got[NET_PACKET_MAX + 1];

static inline ssize_t link_receive(struct net_link *l, void *to, size_t room)
{
	ssize_t n = recv(l->fd, to, room, MSG_DONTWAIT);

	return n > 0 ? n : n == 0 ? -ENODEV : -errno;
}

static inline int link_send(struct net_link *l, const void *from, size_t len)
{
	if (send_error)
		return send_error;
	return send(l->fd, from, len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static inline int link_offload(struct net_link *l, uint64_t accepted)
{
	(void)l;
	offloads = accepted;
	return 0;
}

static inline void link_close(struct net_link *l)
{
	close(l->fd);
	closed++;
}

static const struct net_link_ops link_ops = {
	.receive = link_receive,
	.send = link_send,
	.offload = link_offload,
	.close = link_close,
};

/* A packet from this device, of @len bytes with its header. */
static inline void fill_packet(size_t len)
{
	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(len + i * 3);
	memset(packet, 0, HEADER);
	memcpy(packet + HEADER + NET_MAC, mac, NET_MAC);
}

static inline int setup(void **state)
{
	struct net_link link = { .ops = &link_ops, .offloads = NET_OFFLOADS };
	struct virtio_host host;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	link.fd = pair[0];
	wire = pair[1];
	send_error = 0;
	offloads = closed = 0;
	ram_make();
	host = test_host();
	assert_int_equal(virtio_net_create(&dev, &link, mac, &host), 0);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	destroy();
	assert_int_equal(closed, 1);
	close(wire);
	ram_free();
	return 0;
}

static inline void wait_for_used(uint16_t want)
{
	while (used_idx() != want)
		interrupt();
}

/* Send what is in @packet as one chain, wait until it is back. */
static inline void transmit(uint32_t len)
{
	uint16_t before = used_idx();

	put(BUFFERS, packet, len);
	put_desc(DESC, 0, BUFFERS, len, 0, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, TRANSMIT);
	wait_for_used((uint16_t)(before + 1));
}

static inline void expect_on_wire(uint32_t len)
{
	assert_int_equal(recv(wire, got, sizeof(got), MSG_DONTWAIT), len);
	assert_memory_equal(got, packet, len);
}

static inline void expect_silence(void)
{
	assert_int_equal(recv(wire, got, sizeof(got), MSG_DONTWAIT), -1);
}

static inline void from_wire(uint32_t len)
{
	fill_packet(len);
	assert_int_equal(send(wire, packet, len, 0), len);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
