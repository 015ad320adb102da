/* SPDX-License-Identifier: MIT */
/*
 * Driver of the virtio console (virtio 1.2, 5.3): a queue of buffers to be
 * filled with what is typed, of which we lend one, and a queue for what is
 * printed.
 */
#include "guest/dev/console.h"
#include "guest/dev/virtio.h"
#include "guest/lib/base.h"
#include "guest/proc/sched.h"

enum { RECEIVE, TRANSMIT };

static struct virtio *device;
static char typed[256];
static size_t seen; /* of typed */

static void listen(void)
{
	const struct virtio_part room = { typed, sizeof(typed), true };

	seen = 0;
	virtqueue_lend(device->queues[RECEIVE], &room, 1);
}

/* Nobody may sleep who prints: the device is fast. */
static void write(const char *text, size_t n)
{
	const struct virtio_part part = { text, n, false };
	struct virtqueue *q = device->queues[TRANSMIT];

	virtqueue_lend(q, &part, 1);
	while (virtqueue_back(q) < 0)
		__asm__ volatile("pause");
}

static int64_t read(char *to, size_t most)
{
	int64_t all;
	size_t n;

	while ((all = virtqueue_back(device->queues[RECEIVE])) < 0) {
		if (process_dying())
			return -EINTR;
		sleep_on(device);
	}
	n = (size_t)all - seen < most ? (size_t)all - seen : most;
	memcpy(to, typed + seen, n);
	seen += n;
	if (seen == (size_t)all)
		listen();
	return (int64_t)n;
}

static const struct console by_virtio = { write, read };

static void start(struct virtio *v)
{
	if (!v->is_console)
		return;
	device = v;
	listen();
	console = &by_virtio;
}

const struct virtio_driver virtio_console = {
	.id = 3,
	.queues = 1 << RECEIVE | 1 << TRANSMIT,
	.start = start,
};
