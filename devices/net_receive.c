/* SPDX-License-Identifier: MIT */
/*
 * Packets on their way in: each is copied whole into as many of the guest's
 * buffers as it takes. One that came and finds too few of them is held, and the
 * link is not listened to until the driver brings more; what comes meanwhile is
 * the link's to keep or to drop.
 */
#include <errno.h>

#include "devices/net_state.h"
#include "ept/addr.h"

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
	return chain_write(&n->v.queue[NET_RECEIVE], c, 0, n->incoming + done,
			   *part);
}

/* Its header goes again, now that it is known how many buffers there are. */
static bool place_count(struct net *n, unsigned buffers)
{
	const uint16_t count = (uint16_t)buffers;

	return chain_write(&n->v.queue[NET_RECEIVE], &n->first,
			   offsetof(struct net_header, num_buffers), &count,
			   sizeof(count));
}

/*
 * Take the buffers that the packet fills, at most @most, and fill them: how
 * many, in *used. Without MERGE a packet has one buffer.
 */
static enum fate place(struct net *n, unsigned most, unsigned *used)
{
	struct virtqueue *q = &n->v.queue[NET_RECEIVE];
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
		    (!*used && b->len < NET_HEADER)) {
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
	struct virtqueue *q = &n->v.queue[NET_RECEIVE];
	unsigned used;
	enum fate fate = place(n, merge ? q->size : 1, &used);

	switch (fate) {
	case STARVED:
		virtqueue_untake(q, used);
		return STARVED;
	case PLACED:
		atomic_fetch_add(&n->v.count.bytes, n->held - NET_HEADER);
		break;
	case LOST:
		empty_buffers(n, used);
		net_count_lost(n);
		break;
	case BROKEN:
		return BROKEN;
	}
	n->held = 0;
	return virtio_give_all(&n->v, NET_RECEIVE, n->buffer, used) ? fate
								    : BROKEN;
}

/* Have a packet in n->incoming. False: there is none. */
static bool have_packet(struct net *n)
{
	ssize_t len = n->held || n->lost
			      ? -EAGAIN
			      : n->link.ops->receive(&n->link, n->incoming,
						     sizeof(n->incoming));

	if (len == -ENODEV)
		net_lose_link(n);
	if (len > 0 && len < NET_HEADER + NET_FRAME_MIN)
		net_count_lost(n);
	else if (len > 0)
		n->held = (size_t)len;
	return n->held;
}

enum virtio_work net_receive(struct net *n)
{
	for (unsigned i = 0; i < NET_BATCH; i++) {
		if (!have_packet(n)) {
			net_listen(n, true);
			return VIRTIO_DONE;
		}
		switch (deliver(n)) {
		case STARVED:
			net_listen(n, false);
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
