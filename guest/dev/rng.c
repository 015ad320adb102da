/* SPDX-License-Identifier: MIT */
/* Driver of the source of randomness (virtio 1.2, 5.4): it fills a buffer. */

#include "guest/dev/virtio.h"
#include "guest/lib/errno.h"

static struct virtio *source;

int64_t rng_read(char *to, size_t n)
{
	struct virtio_part part = { to, n, true };

	return source ? virtqueue_run(source->queues[0], &part, 1) : -ENODEV;
}

static void start(struct virtio *v)
{
	source = v;
}

const struct virtio_driver virtio_rng = {
	.id = 4,
	.queues = 1,
	.start = start,
};
