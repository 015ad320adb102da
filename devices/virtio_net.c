/* SPDX-License-Identifier: MIT */
/*
 * Packets are copied whole: out of the guest before they are checked, and into
 * as many of its buffers as they take. One that came and finds too few of them
 * is held, and the link is not listened to until the driver brings more; what
 * comes meanwhile is the link's to keep or to drop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio_net.h"
#include "ept/addr.h"

#define QUEUE  256
#define BATCH  64 /* packets, then orders are heard */
#define HEADER ((uint32_t)sizeof(struct net_header))

enum queue { RECEIVE, TRANSMIT, QUEUES };

struct net {
	struct virtio v;
	struct net_link link;
	bool lost; /* the link is gone */
	_Atomic uint64_t foreign; /* frames */
	uint8_t mac[NET_MAC];

	struct vq_chain first, chain; /* the buffers of a packet: */
	struct vq_used buffer[QUEUE]; /* head and bytes of each */
	size_t held; /* bytes in incoming that no buffers were there for */
	uint8_t incoming[NET_PACKET_MAX], outgoing[NET_PACKET_MAX];
};

static struct net *net_of(struct virtio *v)
{
	return (struct net *)v;
}

static void count_lost(struct net *n)
{
	atomic_fetch_add(&n->v.count.errors, 1);
}

static void listen_to_link(struct net *n, bool listen)
{
	n->v.event = listen && !n->lost ? n->link.fd : -1;
}

/* The guest sees its cable pulled; a reset does not bring it back. */
static void lose_link(struct net *n)
{
	const uint16_t down = 0;

	n->lost = true;
	listen_to_link(n, false);
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

	if (len < HEADER + NET_FRAME_MIN || len > NET_PACKET_MAX ||
	    !chain_read(&n->v.queue[TRANSMIT], &n->chain, 0, n->outgoing, len))
		return 0;
	memcpy(&h, n->outgoing, HEADER);
	return good_header(n, &h, len - HEADER) ? len : 0;
}

/* Returns what the link says. */
static int transmit(struct net *n)
{
	uint32_t len = fetch(n);
	int r = -EINVAL;

	if (len && memcmp(n->outgoing + HEADER + NET_MAC, n->mac, NET_MAC))
		atomic_fetch_add(&n->foreign, 1);
	if (len && !n->lost)
		r = n->link.ops->send(&n->link, n->outgoing, len);
	if (r == -ENODEV)
		lose_link(n);
	if (r)
		count_lost(n);
	else
		atomic_fetch_add(&n->v.count.bytes, len - HEADER);
	return r;
}

/* A link without room has cost time: an order may be waiting. */
static enum virtio_work transmit_all(struct net *n)
{
	int r = 0;

	for (unsigned i = 0; i < BATCH && r != -EAGAIN; i++) {
		switch (virtqueue_take(&n->v.queue[TRANSMIT], &n->chain)) {
		case VQ_EMPTY:
			return VIRTIO_DONE;
		case VQ_BROKEN:
			return VIRTIO_BROKEN;
		case VQ_TAKEN:
			break;
		}
		r = transmit(n);
		if (!virtio_give(&n->v, TRANSMIT, n->chain.head, 0))
			return VIRTIO_BROKEN;
	}
	return VIRTIO_MORE;
}

/* What became of a packet on its way in. */
enum fate {
	PLACED,
	STARVED, /* it waits for more buffers */
	LOST, /* not even all buffers would have done */
	BROKEN
};

/* Bytes [done, held) of the packet into @c. False: it is no RAM. */
static bool place_part(struct net *n, const struct vq_chain *c, size_t done,
		       uint32_t *part)
{
	size_t left = n->held - done;

	*part = c->write_bytes < left ? c->write_bytes : (uint32_t)left;
	return chain_write(&n->v.queue[RECEIVE], c, 0, n->incoming + done,
			   *part);
}

/* Its header goes again, now that it is known how many buffers there are. */
static bool place_count(struct net *n, unsigned buffers)
{
	const uint16_t count = (uint16_t)buffers;

	return chain_write(&n->v.queue[RECEIVE], &n->first,
			   offsetof(struct net_header, num_buffers), &count,
			   sizeof(count));
}

/*
 * Take the buffers that the packet fills, at most @most, and fill them: how
 * many, in *used. Without MERGE a packet has one buffer.
 */
static enum fate place(struct net *n, unsigned most, unsigned *used)
{
	struct virtqueue *q = &n->v.queue[RECEIVE];
	size_t done = 0;

	for (*used = 0; done < n->held; ++*used) {
		struct vq_chain *c = *used ? &n->chain : &n->first;
		struct vq_used *b = &n->buffer[*used];

		if (*used == most)
			return LOST;
		switch (virtqueue_take(q, c)) {
		case VQ_EMPTY:
			return STARVED;
		case VQ_BROKEN:
			return BROKEN;
		case VQ_TAKEN:
			break;
		}
		b->head = c->head;
		if (!place_part(n, c, done, &b->len) ||
		    (!*used && b->len < HEADER)) {
			++*used;
			return LOST;
		}
		done += b->len;
	}
	return place_count(n, *used) ? PLACED : LOST;
}

/* Buffers that could not hold a packet go back empty: the driver may know of
 * better ones. */
static void empty_buffers(struct net *n, unsigned used)
{
	for (unsigned i = 0; i < used; i++)
		n->buffer[i].len = 0;
}

/* The packet that is held to the guest. */
static enum fate deliver(struct net *n)
{
	const bool merge = n->v.accepted & NET_F_MRG_RXBUF;
	struct virtqueue *q = &n->v.queue[RECEIVE];
	unsigned used;
	enum fate fate = place(n, merge ? q->size : 1, &used);

	switch (fate) {
	case STARVED:
		virtqueue_untake(q, used);
		return STARVED;
	case PLACED:
		atomic_fetch_add(&n->v.count.bytes, n->held - HEADER);
		break;
	case LOST:
		empty_buffers(n, used);
		count_lost(n);
		break;
	case BROKEN:
		return BROKEN;
	}
	n->held = 0;
	return virtio_give_all(&n->v, RECEIVE, n->buffer, used) ? fate : BROKEN;
}

/* Have a packet in n->incoming. False: there is none. */
static bool have_packet(struct net *n)
{
	ssize_t len = n->held || n->lost
			      ? -EAGAIN
			      : n->link.ops->receive(&n->link, n->incoming,
						     sizeof(n->incoming));

	if (len == -ENODEV)
		lose_link(n);
	if (len > 0 && len < HEADER + NET_FRAME_MIN)
		count_lost(n);
	else if (len > 0)
		n->held = (size_t)len;
	return n->held;
}

static enum virtio_work receive_all(struct net *n)
{
	for (unsigned i = 0; i < BATCH; i++) {
		if (!have_packet(n)) {
			listen_to_link(n, true);
			return VIRTIO_DONE;
		}
		switch (deliver(n)) {
		case STARVED:
			listen_to_link(n, false);
			return VIRTIO_DONE;
		case BROKEN:
			return VIRTIO_BROKEN;
		case PLACED:
		case LOST:
			break;
		}
	}
	return VIRTIO_MORE;
}

static enum virtio_work net_queue(struct virtio *v, unsigned n)
{
	struct net *net = net_of(v);

	return n == RECEIVE ? receive_all(net) : transmit_all(net);
}

/* The queue is looked at next; a driver without one does not listen. */
static enum virtio_work net_event(struct virtio *v)
{
	listen_to_link(net_of(v), false);
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

	listen_to_link(n, true);
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
		.queues = QUEUES,
		.queue_size = QUEUE,
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
