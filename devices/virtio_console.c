/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "devices/virtio_console.h"

#define QUEUE 64
#define PIECE 4096u

enum queue { RECEIVE, TRANSMIT, QUEUES };

struct console {
	struct virtio v;
	struct console_host to;
	struct vq_chain chain;
	uint8_t bytes[PIECE];

	pthread_mutex_t lock; /* of the input: */
	uint8_t input[CONSOLE_INPUT]; /* a ring */
	unsigned first, held;
	bool starving; /* an input did not fit */
};

static struct console *console_of(struct virtio *v)
{
	return (struct console *)v;
}

static bool has_input(struct console *c)
{
	bool has;

	pthread_mutex_lock(&c->lock);
	has = c->held > 0;
	pthread_mutex_unlock(&c->lock);
	return has;
}

/* Take up to @len bytes out of the ring, into c->bytes. */
static uint32_t take_input(struct console *c, uint32_t len)
{
	uint32_t n = 0;
	bool room;

	pthread_mutex_lock(&c->lock);
	for (; n < len && n < PIECE && c->held; n++, c->held--) {
		c->bytes[n] = c->input[c->first];
		c->first = (c->first + 1) % CONSOLE_INPUT;
	}
	room = c->starving && n;
	c->starving = c->starving && !n;
	pthread_mutex_unlock(&c->lock);
	if (room)
		c->to.room(c->to.ctx);
	return n;
}

/* Input goes into a buffer of the guest's. What cannot be written there is
 * lost with it. */
static uint32_t receive(struct console *c)
{
	uint32_t n = take_input(c, c->chain.write_bytes);

	if (!chain_write(&c->v.queue[RECEIVE], &c->chain, 0, c->bytes, n)) {
		atomic_fetch_add(&c->v.count.errors, 1);
		return 0;
	}
	atomic_fetch_add(&c->v.count.bytes, n);
	return n;
}

static void transmit(struct console *c)
{
	uint32_t len = c->chain.read_bytes, part;

	if (len > CONSOLE_SEND_MAX)
		len = CONSOLE_SEND_MAX;
	for (uint32_t done = 0; done < len; done += part) {
		part = len - done < PIECE ? len - done : PIECE;
		if (!chain_read(&c->v.queue[TRANSMIT], &c->chain, done,
				c->bytes, part)) {
			atomic_fetch_add(&c->v.count.errors, 1);
			return;
		}
		c->to.write(c->to.ctx, c->bytes, part);
		atomic_fetch_add(&c->v.count.bytes, part);
	}
}

/* One chain at a time: a terminal may be slow, and orders are to be heard. */
static enum virtio_work console_queue(struct virtio *v, unsigned n)
{
	struct console *c = console_of(v);
	uint32_t written = 0;

	if (n == RECEIVE && !has_input(c))
		return VIRTIO_DONE;
	switch (virtqueue_take(&v->queue[n], &c->chain)) {
	case VQ_EMPTY:
		return VIRTIO_DONE;
	case VQ_BROKEN:
		return VIRTIO_BROKEN;
	case VQ_TAKEN:
		break;
	}
	if (n == RECEIVE)
		written = receive(c);
	else
		transmit(c);
	return virtio_give(v, n, c->chain.head, written) ? VIRTIO_MORE
							 : VIRTIO_BROKEN;
}

static void console_destroy(struct virtio *v)
{
	struct console *c = console_of(v);

	pthread_mutex_destroy(&c->lock);
	free(c);
}

static const struct virtio_ops console_ops = {
	.queue = console_queue,
	.destroy = console_destroy,
};

int virtio_console_create(struct virtio **out, const struct console_host *to,
			  const struct virtio_host *host)
{
	const struct virtio_kind kind = {
		.ops = &console_ops,
		.name = "console",
		.id = VIRTIO_ID_CONSOLE,
		.queues = QUEUES,
		.queue_size = QUEUE,
	};
	int error = virtio_create(out, sizeof(struct console), &kind, host);

	if (!error) {
		console_of(*out)->to = *to;
		pthread_mutex_init(&console_of(*out)->lock, NULL);
	}
	return error;
}

size_t virtio_console_input(struct virtio *v, const uint8_t *bytes, size_t len)
{
	struct console *c = console_of(v);
	size_t n = 0;

	pthread_mutex_lock(&c->lock);
	for (; n < len && c->held < CONSOLE_INPUT; n++, c->held++)
		c->input[(c->first + c->held) % CONSOLE_INPUT] = bytes[n];
	c->starving = n < len;
	pthread_mutex_unlock(&c->lock);
	virtio_wake(v);
	return n;
}
