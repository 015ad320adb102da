/* SPDX-License-Identifier: MIT */
/*
 * virtio-net (virtio 1.2, 5.1): one pair of queues between the guest and a
 * link, which is the host's: a tap, a user-mode network, or a test's.
 *
 *   guest --transmit--> header checked --> link --> network
 *   guest <--receive--- as many buffers as it takes <-- link <-- network
 *
 * A packet is a struct net_header and an Ethernet frame, on both sides.
 */
#ifndef DEVICES_VIRTIO_NET_H
#define DEVICES_VIRTIO_NET_H

#include <sys/types.h>

#include "devices/virtio.h"

#define NET_MAC		 6 /* bytes of an Ethernet address */
#define NET_FRAME_MIN	 14u /* both addresses and the type */
#define NET_FRAME_MAX	 (65535u + NET_FRAME_MIN) /* with a segment to cut */

#define NET_F_CSUM	 (UINT64_C(1) << 0) /* the guest leaves it to us */
#define NET_F_GUEST_CSUM (UINT64_C(1) << 1) /* and we to it */
#define NET_F_MAC	 (UINT64_C(1) << 5)
#define NET_F_GUEST_TSO4 (UINT64_C(1) << 7)
#define NET_F_GUEST_TSO6 (UINT64_C(1) << 8)
#define NET_F_HOST_TSO4	 (UINT64_C(1) << 11)
#define NET_F_HOST_TSO6	 (UINT64_C(1) << 12)
#define NET_F_MRG_RXBUF	 (UINT64_C(1) << 15)
#define NET_F_STATUS	 (UINT64_C(1) << 16)

/* What a link can have done for it by the guest, and do for the guest. */
#define NET_OFFLOADS                                                           \
	(NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | \
	 NET_F_HOST_TSO4 | NET_F_HOST_TSO6)

#define NET_NEEDS_CSUM 1 /* flags */
#define NET_DATA_VALID 2

enum net_gso { NET_GSO_NONE = 0, NET_GSO_TCPV4 = 1, NET_GSO_TCPV6 = 4 };

/* 5.1.6; with VERSION_1 it always has num_buffers. */
struct net_header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t num_buffers; /* of the guest's, that the packet fills */
};

_Static_assert(sizeof(struct net_header) == 12, "as section 5.1.6 lays it out");

#define NET_PACKET_MAX (sizeof(struct net_header) + NET_FRAME_MAX)

#define NET_LINK_UP    1u

/* Config space, 5.1.4. */
struct net_config {
	uint8_t mac[NET_MAC];
	uint16_t status;
};

struct net_link;

/* All but close: on the I/O thread, without locks. */
struct net_link_ops {
	/* A packet into @room bytes, NET_PACKET_MAX: its length; -EAGAIN: none
	 * now, link->fd will be readable; -ENODEV: the link is gone. */
	ssize_t (*receive)(struct net_link *l, void *to, size_t room);
	/* 0; -ENODEV: the link is gone; else the packet is lost, -EAGAIN: for
	 * want of room. May wait for it, but not for long. */
	int (*send)(struct net_link *l, const void *packet, size_t len);
	/* The driver has accepted these of link->offloads. 0 or -errno. NULL:
	 * there are none. */
	int (*offload)(struct net_link *l, uint64_t accepted);
	/* Once; nothing is called any more. */
	void (*close)(struct net_link *l);
};

struct net_link {
	const struct net_link_ops *ops;
	int fd; /* readable when there is a packet */
	int helper; /* pid of who serves it; 0: nobody does */
	uint64_t offloads; /* of NET_OFFLOADS */
};

/* 0 or -errno; on success the bus destroys it, and it closes @link. */
int virtio_net_create(struct virtio **out, const struct net_link *link,
		      const uint8_t mac[NET_MAC],
		      const struct virtio_host *host);

/* Frames so far whose sender's address was not the device's. They are sent: a
 * guest may be a bridge. Any thread. */
uint64_t virtio_net_foreign(struct virtio *v);

#endif
