/* SPDX-License-Identifier: MIT */
/*
 * The guest is not trusted: the ring's header is copied once and checked, and
 * what it says can make us read at most LAB_RING_MAX records of RAM. The ring
 * is pinned as long as the device lives: it is read while a fault waits, and
 * must not cause one.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "devices/lab.h"

#define LAB_RING_MAX 1024
#define TAIL_OFFSET  offsetof(struct lab_ring, tail)

_Static_assert(sizeof(struct lab_ring) <= PAGE_SIZE, "its head is in one page");

struct lab {
	struct device base;
	pthread_mutex_t lock; /* one command at a time */
	struct stage2 *memory;
	struct lab_host host;
	uint64_t arg0, arg1, result;
	int status;
	pthread_mutex_t draining; /* the last of the locks; of: */
	uint32_t tail;
	bool wanted;
	gpa_t ring;
	uint32_t ring_size; /* 0: none registered */
	_Atomic(volatile struct lab_ring *) shared; /* its head, once it is */
};

static bool power_of_two(uint32_t n)
{
	return n && (n & (n - 1)) == 0;
}

/* The page of @i bytes behind @at. */
static gpa_t behind(gpa_t at, size_t i)
{
	return (gpa_t){ at.v + i };
}

/* Pin @bytes from @at on, all or nothing; *head is where the first lies. */
static int pin(struct lab *l, gpa_t at, size_t bytes, void **head)
{
	int r = 0;

	for (size_t i = 0; i < bytes && !r; i += PAGE_SIZE) {
		void *page;

		r = guest_pin(l->memory, behind(at, i), true, &page);
		while (r && i) {
			i -= PAGE_SIZE;
			guest_unpin(l->memory, behind(at, i));
		}
		if (!r && !i)
			*head = page;
	}
	return -r;
}

static size_t ring_bytes(uint32_t records)
{
	return sizeof(struct lab_ring) + records * sizeof(struct lab_fault);
}

/* Once: nothing unpins a ring. */
static int set_ring(struct lab *l, gpa_t at)
{
	struct lab_ring r;
	void *head;
	int error;

	if (l->ring_size)
		return EBUSY;
	if (at.v & PAGE_MASK)
		return EINVAL;
	if (!guest_read(l->memory, at, &r, sizeof(r)))
		return EFAULT;
	if (!power_of_two(r.size) || r.size > LAB_RING_MAX)
		return EINVAL;
	error = pin(l, at, ring_bytes(r.size), &head);
	if (error)
		return error;
	pthread_mutex_lock(&l->draining);
	l->ring = at;
	l->ring_size = r.size;
	l->tail = r.head;
	l->shared = head;
	l->shared->wanted = l->wanted;
	pthread_mutex_unlock(&l->draining);
	return 0;
}

/* Take the records that the guest has written since the last time. */
static int take(struct lab *l)
{
	struct lab_ring r;

	if (!l->ring_size || !guest_read(l->memory, l->ring, &r, sizeof(r)))
		return l->ring_size ? EFAULT : EINVAL;
	if (r.head - l->tail > l->ring_size)
		return EOVERFLOW; /* it overwrote records, or made this up */
	for (; l->tail != r.head; l->tail++) {
		uint32_t i = l->tail & (l->ring_size - 1);
		struct lab_fault f;
		gpa_t at = { l->ring.v + sizeof(r) + i * sizeof(f) };

		if (!guest_read(l->memory, at, &f, sizeof(f)))
			return EFAULT;
		l->host.fault(l->host.ctx, &f);
	}
	return guest_write(l->memory, (gpa_t){ l->ring.v + TAIL_OFFSET },
			   &l->tail, sizeof(l->tail))
		       ? 0
		       : EFAULT;
}

static int drain(struct lab *l)
{
	int r;

	pthread_mutex_lock(&l->draining);
	r = take(l);
	pthread_mutex_unlock(&l->draining);
	return r;
}

static int counters(struct lab *l)
{
	struct lab_counters c = { 0 };

	l->host.counters(l->host.ctx, &c);
	return guest_write(l->memory, (gpa_t){ l->arg0 }, &c, sizeof(c))
		       ? 0
		       : EFAULT;
}

static int walk_gva(struct lab *l)
{
	struct lab_walk w = { .gva = l->arg0 };
	int r = l->host.walk(l->host.ctx, (gva_t){ l->arg0 }, &w);

	if (r)
		return r;
	return guest_write(l->memory, (gpa_t){ l->arg1 }, &w, sizeof(w))
		       ? 0
		       : EFAULT;
}

static int command(struct lab *l, uint64_t cmd)
{
	const struct lab_host *h = &l->host;
	gpa_t at = { l->arg0 };
	int r;

	switch (cmd) {
	case LAB_COUNTERS:
		return counters(l);
	case LAB_EVICT:
		r = h->evict(h->ctx, at);
		l->result = h->state(h->ctx, at);
		return r;
	case LAB_UNMAP:
		return h->unmap(h->ctx, at);
	case LAB_STATE:
		l->result = h->state(h->ctx, at);
		return 0;
	case LAB_RESIDENT:
		return h->resident(h->ctx, l->arg0, &l->result);
	case LAB_WALK:
		return walk_gva(l);
	case LAB_RING:
		return set_ring(l, at);
	case LAB_DRAIN:
		return drain(l);
	case LAB_BALLOON:
		return h->balloon(h->ctx, l->arg0);
	case LAB_PROGRESS:
		h->progress(h->ctx, l->arg0);
		return 0;
	default:
		return ENOSYS;
	}
}

static uint64_t lab_read(struct device *d, uint64_t offset, unsigned len)
{
	struct lab *l = (struct lab *)d;
	uint64_t v = 0;

	if (len != 8)
		return 0;
	pthread_mutex_lock(&l->lock);
	switch (offset) {
	case LAB_ID:
		v = ABI_LAB_ID;
		break;
	case LAB_ARG0:
		v = l->arg0;
		break;
	case LAB_ARG1:
		v = l->arg1;
		break;
	case LAB_STATUS:
		v = (uint64_t)l->status;
		break;
	case LAB_RESULT:
		v = l->result;
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&l->lock);
	return v;
}

static void lab_write(struct device *d, uint64_t offset, unsigned len,
		      uint64_t value)
{
	struct lab *l = (struct lab *)d;

	if (len != 8)
		return;
	pthread_mutex_lock(&l->lock);
	switch (offset) {
	case LAB_ARG0:
		l->arg0 = value;
		break;
	case LAB_ARG1:
		l->arg1 = value;
		break;
	case LAB_CMD:
		l->result = 0;
		l->status = command(l, value);
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&l->lock);
}

void lab_drain(struct device *d)
{
	drain((struct lab *)d);
}

void lab_want(struct device *d, bool wanted)
{
	struct lab *l = (struct lab *)d;

	pthread_mutex_lock(&l->draining);
	l->wanted = wanted;
	if (l->shared)
		l->shared->wanted = wanted;
	take(l);
	pthread_mutex_unlock(&l->draining);
}

bool lab_cpu(const struct device *d, unsigned cpu, struct lab_cpu *to)
{
	const volatile struct lab_ring *r = ((const struct lab *)d)->shared;

	if (!r || cpu >= LAB_CPUS || !r->cpu[cpu].cr3)
		return false;
	to->cr3 = r->cpu[cpu].cr3;
	to->gva = r->cpu[cpu].gva;
	to->pid = r->cpu[cpu].pid;
	return true;
}

uint64_t lab_faults(const struct device *d)
{
	const volatile struct lab_ring *r = ((const struct lab *)d)->shared;

	return r ? r->faults : 0;
}

static void lab_destroy(struct device *d)
{
	struct lab *l = (struct lab *)d;

	for (size_t i = 0; l->ring_size && i < ring_bytes(l->ring_size);
	     i += PAGE_SIZE)
		guest_unpin(l->memory, behind(l->ring, i));
	pthread_mutex_destroy(&l->draining);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static const struct device_ops lab_ops = {
	.name = "lab",
	.read = lab_read,
	.write = lab_write,
	.destroy = lab_destroy,
};

struct device *lab_create(struct stage2 *memory, const struct lab_host *host)
{
	struct lab *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->base.ops = &lab_ops;
	l->memory = memory;
	l->host = *host;
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->draining, NULL);
	return &l->base;
}
