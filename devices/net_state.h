/* SPDX-License-Identifier: MIT */
/* The inside of virtio-net: virtio_net.c has its queues and what the guest
 * sends, net_receive.c what comes. */
#ifndef DEVICES_NET_STATE_H
#define DEVICES_NET_STATE_H

#include "devices/virtio_net.h"

#define NET_QUEUE  256
#define NET_BATCH  64 /* packets, then orders are heard */
#define NET_HEADER ((uint32_t)sizeof(struct net_header))

enum net_queue { NET_RECEIVE, NET_TRANSMIT, NET_QUEUES };

/* All but `foreign` and what `v` says is the I/O thread's. */
struct net {
	struct virtio v;
	struct net_link link;
	bool lost; /* the link is gone */
	_Atomic uint64_t foreign; /* frames */
	uint8_t mac[NET_MAC];

	struct vq_chain first, chain; /* the buffers of a packet: */
	struct vq_used buffer[NET_QUEUE]; /* head and bytes of each */
	size_t held; /* bytes in incoming that no buffers were there for */
	uint8_t incoming[NET_PACKET_MAX], outgoing[NET_PACKET_MAX];
};

static inline struct net *net_of(struct virtio *v)
{
	return (struct net *)v;
}

static inline void net_count_lost(struct net *n)
{
	atomic_fetch_add(&n->v.count.errors, 1);
}

static inline void net_listen(struct net *n, bool listen)
{
	n->v.event = listen && !n->lost ? n->link.fd : -1;
}

/* The link said that it is gone. */
void net_lose_link(struct net *n);
/* Bring the guest what the link has, a batch at most. */
enum virtio_work net_receive(struct net *n);

#endif
