/* SPDX-License-Identifier: MIT */
/*
 * The I/O thread of a virtio device: takes its orders, then offers the queues
 * to the device kind, then sleeps until a kick or the kind's own descriptor
 * wakes it. One eventfd serves all queues: which of them has buffers is to be
 * read in their memory anyway, and costs less there than an eventfd each.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/thread.h"
#include "devices/virtio_io.h"

void virtio_isr_set(struct virtio *v, uint32_t bits)
{
	v->isr |= bits;
	if (v->isr && !v->level)
		v->host.irq.set(v->host.irq.ctx, 1);
	v->level = v->isr != 0;
}

void virtio_isr_clear(struct virtio *v, uint32_t bits)
{
	v->isr &= ~bits;
	if (!v->isr && v->level)
		v->host.irq.set(v->host.irq.ctx, 0);
	v->level = v->isr != 0;
}

void virtio_needs_reset(struct virtio *v)
{
	if (v->status & VIRTIO_NEEDS_RESET)
		return;
	v->status |= VIRTIO_NEEDS_RESET;
	atomic_fetch_add(&v->count.needs_reset, 1);
	if (v->status & VIRTIO_DRIVER_OK)
		virtio_isr_set(v, VIRTIO_ISR_CONFIG);
}

void virtio_wake(struct virtio *v)
{
	uint64_t one = 1;

	if (write(v->kick, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable anyway */
}

/* The device stands still until it is reset. */
static void stop(struct virtio *v)
{
	if (v->live && v->kind.ops->reset)
		v->kind.ops->reset(v);
	v->live = false;
}

static void break_down(struct virtio *v)
{
	stop(v);
	pthread_mutex_lock(&v->lock);
	virtio_needs_reset(v);
	pthread_mutex_unlock(&v->lock);
}

static void start(struct virtio *v)
{
	v->live = true;
	if (v->kind.ops->start && v->kind.ops->start(v))
		break_down(v);
}

/* The registers as after power-on; the lock is held. */
static void clear(struct virtio *v)
{
	v->status = v->device_sel = v->driver_sel = v->queue_sel = 0;
	v->wanted = 0;
	memset(v->latch, 0, sizeof(v->latch));
	virtio_isr_clear(v, UINT32_MAX);
}

/* The queues and features are the thread's from now on; the lock is held. */
static void take_over(struct virtio *v)
{
	v->accepted = v->wanted;
	for (unsigned i = 0; i < v->kind.queues; i++) {
		struct virtqueue *q = &v->queue[i];

		*q = v->latch[i].ready ? v->latch[i].queue
				       : (struct virtqueue){ .size = 0 };
		q->again = v->host.again;
		q->ctx = v->host.ctx;
		q->indirect = v->accepted & VIRTIO_F_INDIRECT;
		q->event_idx = v->accepted & VIRTIO_F_EVENT_IDX;
	}
}

/* What there is to obey now. */
static enum virtio_order next_order(struct virtio *v)
{
	enum virtio_order order;

	pthread_mutex_lock(&v->lock);
	order = v->order;
	if (order == ORDER_START) {
		take_over(v);
		v->order = ORDER_NONE; /* the others are done only when done */
	}
	if (order == ORDER_NONE && (v->status & VIRTIO_FAILED))
		order = ORDER_HALT;
	pthread_mutex_unlock(&v->lock);
	return order;
}

static void reset(struct virtio *v)
{
	stop(v);
	pthread_mutex_lock(&v->lock);
	clear(v);
	if (v->order == ORDER_RESET)
		v->order = ORDER_NONE;
	pthread_cond_broadcast(&v->obeyed);
	pthread_mutex_unlock(&v->lock);
}

/* Do what was ordered. False: it was to end. */
static bool obey(struct virtio *v)
{
	switch (next_order(v)) {
	case ORDER_NONE:
		return true;
	case ORDER_START:
		start(v);
		return true;
	case ORDER_RESET:
		reset(v);
		return true;
	case ORDER_HALT:
		stop(v);
		return true;
	case ORDER_END:
		stop(v);
		return false;
	}
	return false;
}

/* One interrupt for all that was given back meanwhile. */
static void tell_driver(struct virtio *v)
{
	bool tell = false;

	for (unsigned i = 0; i < v->kind.queues; i++)
		if (v->queue[i].size && virtqueue_interrupts(&v->queue[i]))
			tell = true;
	if (!tell)
		return;
	pthread_mutex_lock(&v->lock);
	virtio_isr_set(v, VIRTIO_ISR_QUEUE);
	pthread_mutex_unlock(&v->lock);
}

/* The worse of two outcomes. */
static enum virtio_work worse(enum virtio_work a, enum virtio_work b)
{
	return a > b ? a : b;
}

static enum virtio_work work(struct virtio *v, bool event)
{
	enum virtio_work w = event ? v->kind.ops->event(v) : VIRTIO_DONE;

	for (unsigned i = 0; i < v->kind.queues && w != VIRTIO_BROKEN; i++)
		if (v->queue[i].size)
			w = worse(w, v->kind.ops->queue(v, i));
	tell_driver(v);
	if (w == VIRTIO_BROKEN)
		break_down(v);
	return w;
}

/* Until a kick; true: until the kind's own descriptor is readable. */
static bool sleep_until_work(struct virtio *v, bool at_once)
{
	struct pollfd p[] = {
		{ .fd = v->kick, .events = POLLIN },
		{ .fd = v->live ? v->event : -1, .events = POLLIN },
	};
	uint64_t kicks;

	if (poll(p, 2, at_once ? 0 : -1) < 0)
		return false;
	/* Cleared before the queues are looked at: no kick is lost. */
	if ((p[0].revents & POLLIN) && read(v->kick, &kicks, sizeof(kicks)) < 0)
		return false;
	return p[1].revents;
}

static void *io_thread(void *arg)
{
	struct virtio *v = arg;
	bool event = false, more = false;

	device_thread_begin(v->kind.name);
	while (obey(v)) {
		more = v->live && work(v, event) == VIRTIO_MORE;
		event = sleep_until_work(v, more);
	}
	return NULL;
}

int virtio_order_start(struct virtio *v)
{
	int r = 0;

	if (!v->threaded)
		r = -pthread_create(&v->thread, NULL, io_thread, v);
	if (r)
		return r;
	if (!v->threaded && v->host.direct_kicks)
		v->host.direct_kicks(v->host.ctx, v->kick);
	v->threaded = true;
	v->order = ORDER_START;
	virtio_wake(v);
	return 0;
}

void virtio_order_reset(struct virtio *v)
{
	if (!v->threaded) {
		clear(v);
		return;
	}
	v->order = ORDER_RESET;
	virtio_wake(v);
	while (v->order == ORDER_RESET)
		pthread_cond_wait(&v->obeyed, &v->lock);
}

void virtio_stop(struct virtio *v)
{
	bool threaded;

	pthread_mutex_lock(&v->lock);
	threaded = v->threaded;
	v->threaded = false;
	v->order = ORDER_END;
	pthread_mutex_unlock(&v->lock);
	if (!threaded)
		return;
	virtio_wake(v);
	pthread_join(v->thread, NULL);
}

bool virtio_give_all(struct virtio *v, unsigned n, const struct vq_used *used,
		     unsigned count)
{
	atomic_fetch_add_explicit(&v->count.requests, count,
				  memory_order_relaxed);
	return virtqueue_give(&v->queue[n], used, count);
}

bool virtio_give(struct virtio *v, unsigned n, uint16_t head, uint32_t written)
{
	return virtio_give_all(v, n, &(struct vq_used){ head, written }, 1);
}
