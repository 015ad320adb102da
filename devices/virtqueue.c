/* SPDX-License-Identifier: MIT */
/*
 * Fields that both sides write at any time (idx, used_event) are naturally
 * aligned, because virtqueue_valid has checked it, and a copy of 2 bytes is one
 * access. Each side writes its own, then reads the other's, so that one of them
 * sees what the other wrote; ept/guest_mem.h promises that order.
 */
#include <assert.h>

#include "devices/virtio_bits.h"
#include "devices/virtqueue_ram.h"

#define RING 4 /* where the ring begins in the driver's and the device's area */

bool virtqueue_valid(const struct virtqueue *q)
{
	uint64_t n = q->size;

	return !(q->desc.v % 16) && !(q->driver.v % 2) && !(q->device.v % 4) &&
	       guest_has(q->memory, q->desc, n * sizeof(struct vq_desc)) &&
	       guest_has(q->memory, q->driver, RING + n * 2 + 2) &&
	       guest_has(q->memory, q->device,
			 RING + n * sizeof(struct vq_used) + 2);
}

/* Entries that wait in the available ring; more than size: nonsense. */
static bool waiting(struct virtqueue *q, uint16_t *n)
{
	uint16_t idx;

	if (!read_ram(q, plus(q->driver, 2), &idx, sizeof(idx)))
		return false;
	*n = (uint16_t)(idx - q->seen);
	return *n <= q->size;
}

/* Ask for a notification of the next entry. */
static bool ask(struct virtqueue *q)
{
	gpa_t avail_event =
		plus(q->device, RING + q->size * sizeof(struct vq_used));

	return !q->event_idx ||
	       write_ram(q, avail_event, &q->seen, sizeof(q->seen));
}

/* Where the descriptors of a chain are: the queue's table or an indirect one,
 * which is read as a whole. */
struct table {
	uint32_t size;
	uint32_t left; /* how many more a chain may have */
	bool indirect;
	struct vq_desc desc[VQ_SIZE_MAX];
};

static bool add_segment(struct vq_chain *c, const struct vq_desc *d)
{
	bool write = d->flags & VQ_DESC_WRITE;
	uint32_t *bytes = write ? &c->write_bytes : &c->read_bytes;

	if (!d->len || d->len > UINT32_MAX - *bytes)
		return false;
	if (!write && c->segments > c->readable)
		return false; /* 2.7.4.2: readable ones come first */
	*bytes += d->len;
	c->segment[c->segments++] = (struct vq_segment){ { d->at }, d->len };
	c->readable += !write;
	return true;
}

/* Descriptor @i: of the indirect table's copy, or copied now. */
static bool fetch(struct virtqueue *q, struct table *t, uint32_t i,
		  struct vq_desc *d)
{
	if (i >= t->size || !t->left--)
		return false;
	if (t->indirect) {
		*d = t->desc[i];
		return true;
	}
	return read_ram(q, plus(q->desc, i * sizeof(*d)), d, sizeof(*d));
}

/* It may end a chain that already has @segments (2.7.5.3.2). */
static bool open_indirect(struct virtqueue *q, struct table *t,
			  const struct vq_desc *d, unsigned segments)
{
	uint32_t n = d->len / sizeof(*d);

	if (!q->indirect || t->indirect || (d->flags & VQ_DESC_NEXT) || !n ||
	    n > q->size || d->len % sizeof(*d))
		return false;
	t->size = n;
	t->left = q->size - segments;
	t->indirect = true;
	return read_ram(q, (gpa_t){ d->at }, t->desc, d->len);
}

static bool walk(struct virtqueue *q, struct vq_chain *c, struct table *t)
{
	uint32_t i = c->head;
	struct vq_desc d;

	for (;; i = d.next) {
		if (!fetch(q, t, i, &d))
			return false;
		if (d.flags & VQ_DESC_INDIRECT) {
			if (!open_indirect(q, t, &d, c->segments))
				return false;
			d.next = 0;
			continue;
		}
		if (!add_segment(c, &d))
			return false;
		if (!(d.flags & VQ_DESC_NEXT))
			return true;
	}
}

static bool read_chain(struct virtqueue *q, struct vq_chain *c)
{
	struct table t;
	gpa_t at = plus(q->driver, RING + (q->seen & (q->size - 1)) * 2);

	t.size = t.left = q->size;
	t.indirect = false;
	c->readable = c->segments = 0;
	c->read_bytes = c->write_bytes = 0;
	return read_ram(q, at, &c->head, sizeof(c->head)) && walk(q, c, &t);
}

enum vq_take virtqueue_take(struct virtqueue *q, struct vq_chain *c)
{
	uint16_t n;

	assert(q->size);
	if (!waiting(q, &n))
		return VQ_BROKEN;
	/* Once more after asking: an entry may have come in between. */
	if (!n && (!ask(q) || !waiting(q, &n)))
		return VQ_BROKEN;
	if (!n)
		return VQ_EMPTY;
	if (!read_chain(q, c))
		return VQ_BROKEN;
	q->seen++;
	return VQ_TAKEN;
}

void virtqueue_untake(struct virtqueue *q, unsigned n)
{
	q->seen = (uint16_t)(q->seen - n);
}

bool virtqueue_give(struct virtqueue *q, const struct vq_used *used, unsigned n)
{
	uint16_t idx = (uint16_t)(q->used + n);

	for (unsigned i = 0; i < n; i++) {
		uint64_t at = (q->used + i) & (q->size - 1u);

		if (!write_ram(q, plus(q->device, RING + at * sizeof(*used)),
			       &used[i], sizeof(*used)))
			return false;
	}
	if (!write_ram(q, plus(q->device, 2), &idx, sizeof(idx)))
		return false;
	q->used = idx;
	return true;
}

/* Section 2.7.7.2: only when used passes what the driver waits for. */
static bool passed(const struct virtqueue *q, uint16_t event)
{
	return (uint16_t)(q->used - event - 1) < (uint16_t)(q->used - q->told);
}

bool virtqueue_interrupts(struct virtqueue *q)
{
	uint64_t event_at = RING + (uint64_t)q->size * 2;
	uint16_t word;
	bool wants;

	if (q->used == q->told)
		return false;
	if (!read_ram(q, plus(q->driver, q->event_idx ? event_at : 0), &word,
		      sizeof(word)))
		wants = true;
	else if (q->event_idx)
		wants = passed(q, word);
	else
		wants = !(word & VQ_AVAIL_NO_INTERRUPT);
	q->told = q->used;
	return wants;
}
