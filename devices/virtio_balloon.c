/* SPDX-License-Identifier: MIT */
/*
 * What the guest gives up is merged into ranges before it is discarded: a call
 * a range is many times cheaper than one a page. Which pages it names is its
 * own affair, be they its own tables: they read as zeros from then on. That it
 * names one twice, or what is no RAM, does nothing.
 */
#include "devices/virtio_balloon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/balloon_state.h"

#define BUDGET 16 /* chains in a turn */

static void add(struct balloon *b, uint64_t *count, uint64_t n)
{
	pthread_mutex_lock(&b->lock);
	*count += n;
	pthread_mutex_unlock(&b->lock);
}

static void discard(struct balloon *b, gpa_t at, uint64_t len,
		    enum guest_gift why)
{
	struct stage2 *s = b->v.host.memory;

	if (!guest_has(s, at, len))
		add(b, &b->count.skipped, 1);
	add(b, &b->count.discarded, guest_discard(s, at, len, why));
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static gpa_t gpa_of_pfn(uint32_t pfn)
{
	return (gpa_t){ (uint64_t)pfn << BALLOON_PFN_SHIFT };
}

/* Discard the @n pages of b->pfn, run by run. */
static void discard_pfns(struct balloon *b, unsigned n)
{
	const uint32_t *pfn = b->pfn;

	qsort(b->pfn, n, sizeof(pfn[0]), by_number);
	for (unsigned i = 0, next; i < n; i = next) {
		uint64_t pages;

		for (next = i + 1; next < n; next++)
			if (pfn[next] - pfn[next - 1] > 1)
				break;
		pages = (uint64_t)pfn[next - 1] - pfn[i] + 1;
		discard(b, gpa_of_pfn(pfn[i]), pages << BALLOON_PFN_SHIFT,
			GUEST_BALLOONED);
	}
}

/* Page numbers; a list of another shape does nothing. */
static void inflate(struct balloon *b, unsigned queue)
{
	uint32_t bytes = b->chain.read_bytes;
	unsigned n = bytes / sizeof(b->pfn[0]);

	if (bytes > sizeof(b->pfn) || bytes % sizeof(b->pfn[0]) ||
	    !chain_read(&b->v.queue[queue], &b->chain, 0, b->pfn, bytes)) {
		add(b, &b->count.skipped, 1);
		return;
	}
	add(b, &b->count.inflated, n);
	discard_pfns(b, n);
}

/* They are absent, and will be zeros when touched: nothing is to be done. */
static void deflate(struct balloon *b)
{
	add(b, &b->count.deflated, b->chain.read_bytes / sizeof(b->pfn[0]));
}

/* The buffers that the driver lends are the free pages. */
static void give_up(struct balloon *b, enum guest_gift why, uint64_t *count)
{
	for (unsigned i = b->chain.readable; i < b->chain.segments; i++) {
		const struct vq_segment *s = &b->chain.segment[i];

		add(b, count, s->len >> BALLOON_PFN_SHIFT);
		discard(b, s->at, s->len, why);
	}
}

static void tell_hints(struct balloon *b)
{
	pthread_mutex_lock(&b->lock);
	b->count.hint_host = b->hints.host;
	b->count.hint_guest = b->hints.guest;
	pthread_mutex_unlock(&b->lock);
}

/* Somebody wants a round of hints. */
static void begin_hints(struct balloon *b)
{
	bool begin;

	pthread_mutex_lock(&b->lock);
	begin = b->wants_hints;
	b->wants_hints = false;
	pthread_mutex_unlock(&b->lock);
	if (!begin)
		return;
	hints_begin(&b->hints, &b->v);
	tell_hints(b);
}

/* A number, if there is something to be read, and hints. */
static void take_hints(struct balloon *b, unsigned queue)
{
	uint32_t id;

	if (b->chain.read_bytes == sizeof(id) &&
	    chain_read(&b->v.queue[queue], &b->chain, 0, &id, sizeof(id))) {
		hints_hear(&b->hints, &b->v, id);
		tell_hints(b);
	}
	if (b->hints.heard)
		give_up(b, GUEST_HINTED, &b->count.hinted);
}

/* What each queue is for: those that the driver made ready and the features
 * that it took have the same order. One too many is for nothing. */
static int balloon_start(struct virtio *v)
{
	static const uint64_t feature[] = {
		[BALLOON_STATISTICS] = BALLOON_F_STATS,
		[BALLOON_HINTS] = BALLOON_F_HINTS,
		[BALLOON_REPORTING] = BALLOON_F_REPORTING,
	};
	struct balloon *b = balloon_of(v);
	unsigned role = BALLOON_DEFLATE;

	for (unsigned n = 0; n < BALLOON_QUEUES; n++) {
		b->role[n] = n;
		if (n <= BALLOON_DEFLATE || !v->queue[n].size)
			continue;
		while (role < BALLOON_QUEUES && ++role < BALLOON_QUEUES &&
		       !(v->accepted & feature[role]))
			;
		b->role[n] = role;
	}
	pthread_mutex_lock(&b->lock);
	b->knows_hints = v->accepted & BALLOON_F_HINTS;
	pthread_mutex_unlock(&b->lock);
	return 0;
}

/* The chain that was taken. False: the queue is broken. */
static bool perform(struct balloon *b, unsigned n)
{
	switch (b->role[n]) {
	case BALLOON_INFLATE:
		inflate(b, n);
		break;
	case BALLOON_DEFLATE:
		deflate(b);
		break;
	case BALLOON_STATISTICS:
		return balloon_take_stats(b, n);
	case BALLOON_HINTS:
		take_hints(b, n);
		break;
	case BALLOON_REPORTING:
		give_up(b, GUEST_REPORTED_FREE, &b->count.reported);
		break;
	case BALLOON_QUEUES:
		break;
	}
	return virtio_give(&b->v, n, b->chain.head, 0);
}

static enum virtio_work balloon_queue(struct virtio *v, unsigned n)
{
	struct balloon *b = balloon_of(v);

	if (b->role[n] == BALLOON_STATISTICS && !balloon_ask_stats(b))
		return VIRTIO_BROKEN;
	if (b->role[n] == BALLOON_HINTS)
		begin_hints(b);
	for (unsigned i = 0; i < BUDGET; i++) {
		enum vq_take t = virtqueue_take(&v->queue[n], &b->chain);

		if (t != VQ_TAKEN)
			return t == VQ_EMPTY ? VIRTIO_DONE : VIRTIO_BROKEN;
		if (!perform(b, n))
			return VIRTIO_BROKEN;
	}
	return VIRTIO_MORE;
}

/* The next driver begins with an empty balloon: what is discarded is only
 * absent, and comes back when touched. */
static void balloon_reset(struct virtio *v)
{
	const uint32_t none = 0;
	struct balloon *b = balloon_of(v);

	hints_reset(&b->hints, v);
	tell_hints(b);
	pthread_mutex_lock(&b->lock);
	b->knows_hints = b->wants_hints = false;
	b->holding = b->wanted = false;
	b->count.known = 0;
	b->count.updated_s = 0;
	pthread_cond_broadcast(&b->told);
	pthread_mutex_unlock(&b->lock);
	virtio_config_set(v, offsetof(struct balloon_config, actual), &none,
			  sizeof(none));
}

/* `actual` alone can be written, as a whole (D9: no more than there is). */
static void balloon_config_written(struct virtio *v, unsigned offset,
				   unsigned len, uint64_t value)
{
	struct balloon *b = balloon_of(v);
	uint32_t actual;

	if (offset != offsetof(struct balloon_config, actual) ||
	    len != sizeof(actual))
		return;
	actual = (uint32_t)(value < b->setup.ram_pages ? value
						       : b->setup.ram_pages);
	memcpy(v->config + offset, &actual, sizeof(actual));
}

static void balloon_destroy(struct virtio *v)
{
	struct balloon *b = balloon_of(v);

	pthread_cond_destroy(&b->told);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static const struct virtio_ops balloon_ops = {
	.start = balloon_start,
	.queue = balloon_queue,
	.reset = balloon_reset,
	.config = balloon_config_written,
	.destroy = balloon_destroy,
};

bool balloon_ask_hints(struct virtio *v)
{
	struct balloon *b = balloon_of(v);
	bool asked;

	pthread_mutex_lock(&b->lock);
	asked = b->wants_hints = b->knows_hints;
	pthread_mutex_unlock(&b->lock);
	if (asked)
		virtio_wake(v);
	return asked;
}

void balloon_set_target(struct virtio *v, uint32_t pages)
{
	virtio_config_set(v, offsetof(struct balloon_config, num_pages), &pages,
			  sizeof(pages));
}

void balloon_report(struct virtio *v, struct balloon_report *r)
{
	struct balloon *b = balloon_of(v);
	struct balloon_config c;

	virtio_config_get(v, 0, &c, sizeof(c));
	pthread_mutex_lock(&b->lock);
	*r = b->count;
	pthread_mutex_unlock(&b->lock);
	r->target_pages = c.num_pages;
	r->actual_pages = c.actual;
	r->deflate_on_oom = b->setup.deflate_on_oom;
	r->reporting = b->setup.reporting;
}

static struct virtio_kind kind_of(const struct balloon_setup *s)
{
	return (struct virtio_kind){
		.ops = &balloon_ops,
		.name = "balloon",
		.id = VIRTIO_ID_BALLOON,
		.features = BALLOON_F_STATS | BALLOON_F_HINTS |
			    (s->deflate_on_oom ? BALLOON_F_DEFLATE_ON_OOM : 0) |
			    (s->reporting ? BALLOON_F_REPORTING : 0),
		.queues = s->reporting ? BALLOON_QUEUES : BALLOON_REPORTING,
		.queue_size = 128,
	};
}

int virtio_balloon_create(struct virtio **out, const struct balloon_setup *s,
			  const struct virtio_host *host)
{
	const struct balloon_config config = { .num_pages = s->target_pages };
	const struct virtio_kind kind = kind_of(s);
	struct balloon *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->setup = *s;
	r = virtio_init(&b->v, &kind, host);
	if (r) {
		free(b);
		return r;
	}
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->told, NULL);
	virtio_config_set(&b->v, 0, &config, sizeof(config));
	*out = &b->v;
	return 0;
}
