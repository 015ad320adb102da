/* SPDX-License-Identifier: MIT */
/*
 * The device, and packets on their way out: each is copied whole out of the
 * guest before it is checked, and its header believed as far as it was
 * negotiated.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/net_state.h"
#include "ept/addr.h"

/* The guest sees its cable pulled; a reset does not bring it back. */
void net_lose_link(struct net *n)
{
	const uint16_t down = 0;

	n->lost = true;
	net_listen(n, false);
	virtio_config_set(&n->v, offsetof(struct net_config, status), &down,
			  sizeof(down));
}

/* What the guest asks to be done to its frame was negotiated, and lies within
 * it. */
static bool good_gso(const struct net *n, const struct net_header *h)
{
	uint64_t needed;

	switch (h->gso_type) {
	case NET_GSO_NONE:
		return true;
	case NET_GSO_TCPV4:
		needed = NET_F_HOST_TSO4;
		break;
	case NET_GSO_TCPV6:
		needed = NET_F_HOST_TSO6;
		break;
	default:
		return false;
	}
	return (n->v.accepted & needed) && h->gso_size &&
	       (h->flags & NET_NEEDS_CSUM);
}

static bool good_header(const struct net *n, const struct net_header *h,
			uint32_t frame)
{
	uint32_t sum_at = (uint32_t)h->csum_start + h->csum_offset;

	if (h->flags & ~NET_NEEDS_CSUM)
		return false;
	if ((h->flags & NET_NEEDS_CSUM) &&
	    (!(n->v.accepted & NET_F_CSUM) || sum_at + 2 > frame))
		return false;
	return good_gso(n, h) && h->hdr_len <= frame;
}

/* The packet of n->chain, copied and checked: its length; 0: it is none. */
static uint32_t fetch(struct net *n)
{
	uint32_t len = n->chain.read_bytes;
	struct net_header h;

	if (len < NET_HEADER + NET_FRAME_MIN || len > NET_PACKET_MAX ||
	    !chain_read(&n->v.queue[NET_TRANSMIT], &n->chain, 0, n->outgoing,
			len))
		return 0;
	memcpy(&h, n->outgoing, NET_HEADER);
	return good_header(n, &h, len - NET_HEADER) ? len : 0;
}

/* Returns what the link says. */
static int transmit(struct net *n)
{
	uint32_t len = fetch(n);
	int r = -EINVAL;

	if (len && memcmp(n->outgoing + NET_HEADER + NET_MAC, n->mac, NET_MAC))
		atomic_fetch_add(&n->foreign, 1);
	if (len && !n->lost)
		r = n->link.ops->send(&n->link, n->outgoing, len);
	if (r == -ENODEV)
		net_lose_link(n);
	if (r)
		net_count_lost(n);
	else
		atomic_fetch_add(&n->v.count.bytes, len - NET_HEADER);
	return r;
}

/* A link without room has cost time: an order may be waiting. */
static enum virtio_work transmit_all(struct net *n)
{
	int r = 0;

	for (unsigned i = 0; i < NET_BATCH && r != -EAGAIN; i++) {
		switch (virtqueue_take(&n->v.queue[NET_TRANSMIT], &n->chain)) {
		case VQ_EMPTY:
			return VIRTIO_DONE;
		case VQ_BROKEN:
			return VIRTIO_BROKEN;
		case VQ_TAKEN:
			break;
		}
		r = transmit(n);
		if (!virtio_give(&n->v, NET_TRANSMIT, n->chain.head, 0))
			return VIRTIO_BROKEN;
	}
	return VIRTIO_MORE;
}

static enum virtio_work net_queue(struct virtio *v, unsigned n)
{
	struct net *net = net_of(v);

	return n == NET_RECEIVE ? net_receive(net) : transmit_all(net);
}

/* The queue is looked at next; a driver without one does not listen. */
static enum virtio_work net_event(struct virtio *v)
{
	net_listen(net_of(v), false);
	return VIRTIO_DONE;
}

/* Sums of what is cut, too, are then the guest's or the link's. */
static uint64_t sensible(uint64_t accepted)
{
	if (!(accepted & NET_F_GUEST_CSUM))
		accepted &= ~(NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6);
	return accepted & NET_OFFLOADS;
}

static int net_start(struct virtio *v)
{
	struct net *n = net_of(v);

	net_listen(n, true);
	return n->link.ops->offload && !n->lost
		       ? n->link.ops->offload(&n->link, sensible(v->accepted))
		       : 0;
}

static void net_reset(struct virtio *v)
{
	net_of(v)->held = 0;
}

static void net_destroy(struct virtio *v)
{
	struct net *n = net_of(v);

	n->link.ops->close(&n->link);
	free(n);
}

static const struct virtio_ops net_ops = {
	.start = net_start,
	.queue = net_queue,
	.event = net_event,
	.reset = net_reset,
	.destroy = net_destroy,
};

int virtio_net_create(struct virtio **out, const struct net_link *link,
		      const uint8_t mac[NET_MAC],
		      const struct virtio_host *host)
{
	const struct virtio_kind kind = {
		.ops = &net_ops,
		.name = "net",
		.id = VIRTIO_ID_NET,
		.features = NET_F_MAC | NET_F_STATUS | NET_F_MRG_RXBUF |
			    link->offloads,
		.queues = NET_QUEUES,
		.queue_size = NET_QUEUE,
	};
	struct net_config config = { .status = NET_LINK_UP };
	int r = virtio_create(out, sizeof(struct net), &kind, host);

	if (r)
		return r;
	net_of(*out)->link = *link;
	memcpy(net_of(*out)->mac, mac, NET_MAC);
	memcpy(config.mac, mac, NET_MAC);
	virtio_config_set(*out, 0, &config, sizeof(config));
	return 0;
}

uint64_t virtio_net_foreign(struct virtio *v)
{
	return atomic_load(&net_of(v)->foreign);
}
