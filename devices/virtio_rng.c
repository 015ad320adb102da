/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "devices/virtio_rng.h"

#define QUEUE 64
#define PIECE 4096u

struct rng {
	struct virtio v;
	struct vq_chain chain;
	uint8_t bytes[PIECE];
};

/* Short answers and signals are no errors of the source. */
static bool draw(uint8_t *to, size_t len)
{
	while (len) {
		ssize_t n = getrandom(to, len, 0);

		if (n < 0 && errno != EINTR)
			return false;
		to += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* How many bytes of the chain are random now. */
static uint32_t fill(struct rng *r, unsigned n)
{
	uint32_t len = r->chain.write_bytes, done = 0;

	if (len > RNG_REQUEST_MAX)
		len = RNG_REQUEST_MAX;
	while (done < len) {
		uint32_t part = len - done < PIECE ? len - done : PIECE;

		if (!draw(r->bytes, part) ||
		    !chain_write(&r->v.queue[n], &r->chain, done, r->bytes,
				 part)) {
			atomic_fetch_add(&r->v.count.errors, 1);
			break;
		}
		done += part;
	}
	atomic_fetch_add(&r->v.count.bytes, done);
	return done;
}

/* Few chains at a time, so that an order is heard soon. */
static enum virtio_work rng_queue(struct virtio *v, unsigned n)
{
	struct rng *r = (struct rng *)v;

	for (unsigned i = 0; i < QUEUE / 4; i++)
		switch (virtqueue_take(&v->queue[n], &r->chain)) {
		case VQ_EMPTY:
			return VIRTIO_DONE;
		case VQ_BROKEN:
			return VIRTIO_BROKEN;
		case VQ_TAKEN:
			if (!virtio_give(v, n, r->chain.head, fill(r, n)))
				return VIRTIO_BROKEN;
		}
	return VIRTIO_MORE;
}

static void rng_destroy(struct virtio *v)
{
	free(v);
}

static const struct virtio_ops rng_ops = {
	.queue = rng_queue,
	.destroy = rng_destroy,
};

int virtio_rng_create(struct virtio **out, const struct virtio_host *host)
{
	const struct virtio_kind kind = {
		.ops = &rng_ops,
		.name = "rng",
		.id = VIRTIO_ID_RNG,
		.queues = 1,
		.queue_size = QUEUE,
	};

	return virtio_create(out, sizeof(struct rng), &kind, host);
}
