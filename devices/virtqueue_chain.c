/* SPDX-License-Identifier: MIT */
/* The bytes of a chain, page by page: copied, or held for the host. */
#include <errno.h>

#include "devices/virtqueue_ram.h"

/* A place among a chain's readable or writable bytes. */
struct cursor {
	const struct vq_segment *s, *end;
	uint32_t done; /* bytes of *s */
};

static struct cursor cursor_at(const struct vq_chain *c, bool write,
			       uint32_t offset)
{
	const struct vq_segment *s = c->segment + (write ? c->readable : 0);
	const struct vq_segment *end =
		c->segment + (write ? c->segments : c->readable);

	while (s < end && offset >= s->len)
		offset -= s++->len;
	return (struct cursor){ s, end, offset };
}

/* The next bytes that lie in one page, at most @most: how many, and where. 0:
 * the chain has no more. */
static uint32_t next_piece(struct cursor *c, uint32_t most, gpa_t *at)
{
	uint64_t page;

	if (c->s == c->end)
		return 0;
	*at = plus(c->s->at, c->done);
	page = PAGE_SIZE - (at->v & PAGE_MASK);
	if (most > c->s->len - c->done)
		most = c->s->len - c->done;
	if (most > page)
		most = (uint32_t)page;
	c->done += most;
	if (c->done == c->s->len) {
		c->s++;
		c->done = 0;
	}
	return most;
}

bool chain_read(struct virtqueue *q, const struct vq_chain *c, uint32_t offset,
		void *to, size_t len)
{
	struct cursor at = cursor_at(c, false, offset);
	uint8_t *bytes = to;
	gpa_t from;

	while (len) {
		uint32_t part = next_piece(&at, (uint32_t)len, &from);

		if (!part || !read_ram(q, from, bytes, part))
			return false;
		bytes += part;
		len -= part;
	}
	return true;
}

bool chain_write(struct virtqueue *q, const struct vq_chain *c, uint32_t offset,
		 const void *from, size_t len)
{
	struct cursor at = cursor_at(c, true, offset);
	const uint8_t *bytes = from;
	gpa_t to;

	while (len) {
		uint32_t part = next_piece(&at, (uint32_t)len, &to);

		if (!part || !write_ram(q, to, bytes, part))
			return false;
		bytes += part;
		len -= part;
	}
	return true;
}

static int hold_page(const struct virtqueue *q, gpa_t at, bool write, bool must,
		     void **to)
{
	int r;

	do
		r = must ? guest_pin(q->memory, at, write, to)
			 : guest_hold(q->memory, at, write, to);
	while (r && r != -EBUSY && again(q, at, 1));
	return r;
}

/* Pages in a row are one piece where the host has them in a row, too. False:
 * there is no room for one more. */
static bool add_piece(struct vq_hold *h, void *at, uint32_t len)
{
	struct iovec *last = h->pieces ? &h->piece[h->pieces - 1] : NULL;

	if (last && (uint8_t *)last->iov_base + last->iov_len == at)
		last->iov_len += len;
	else if (h->pieces < VQ_PIECES)
		h->piece[h->pieces++] = (struct iovec){ at, len };
	else
		return false;
	return true;
}

int chain_hold(struct virtqueue *q, const struct vq_chain *c, struct vq_hold *h,
	       bool must)
{
	struct cursor cursor = cursor_at(c, h->write, h->offset);
	uint32_t left = h->len, part;
	int r = 0;

	h->len = h->pieces = 0;
	while (left) {
		void *host;
		gpa_t at;

		part = next_piece(&cursor, left, &at);
		r = part ? hold_page(q, at, h->write, must && !h->len, &host)
			 : -EFAULT;
		if (r)
			break;
		if (!add_piece(h, host, part)) {
			guest_unpin(q->memory, at);
			break;
		}
		h->len += part;
		left -= part;
	}
	return h->len ? 0 : r;
}

void chain_let_go(struct virtqueue *q, const struct vq_chain *c,
		  struct vq_hold *h)
{
	struct cursor cursor = cursor_at(c, h->write, h->offset);
	gpa_t at;

	while (h->len) {
		h->len -= next_piece(&cursor, h->len, &at);
		guest_unpin(q->memory, at);
	}
}
