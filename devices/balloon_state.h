/* SPDX-License-Identifier: MIT */
/* The inside of the balloon: virtio_balloon.c has its queues, balloon_stats.c
 * what the guest says of itself, balloon_hints.c rounds of hints. */
#ifndef DEVICES_BALLOON_STATE_H
#define DEVICES_BALLOON_STATE_H

#include "devices/balloon_hints.h"
#include "devices/virtio_balloon.h"

struct balloon {
	struct virtio v;
	struct balloon_setup setup;
	/* The I/O thread's: */
	struct vq_chain chain;
	uint32_t pfn[BALLOON_PFNS_MAX];
	enum balloon_queue role[BALLOON_QUEUES];
	struct hints hints;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t told;
	struct balloon_report count; /* but for its first four */
	bool knows_hints, wants_hints; /* the driver; a round */
	bool holding, wanted; /* the statistics' buffer; back to the driver */
	unsigned stats_queue;
	uint16_t stats_head;
};

static inline struct balloon *balloon_of(struct virtio *v)
{
	return (struct balloon *)v;
}

/* Look at the chain that queue @queue has brought, and keep it until somebody
 * wants fresh ones. A driver has one; what is more than that is only given back.
 * False: the queue is broken. */
bool balloon_take_stats(struct balloon *b, unsigned queue);
/* If somebody wants statistics: the driver fills the buffer when it gets it.
 * False: the queue is broken. */
bool balloon_ask_stats(struct balloon *b);

#endif
