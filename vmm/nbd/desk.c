/* SPDX-License-Identifier: MIT */
#include "vmm/nbd/desk.h"

#include <errno.h>
#include <sys/socket.h>

void desk_init(struct desk *d, int fd, uint8_t *pages)
{
	*d = (struct desk){ .fd = fd };
	for (unsigned i = 0; i < NBD_BUFFERS; i++)
		d->task[i] = (struct task){ .desk = d,
					    .bit = UINT64_C(1) << i,
					    .page = pages + i * PAGE_SIZE };
}

static bool take(struct desk *d, const struct nbd_request *q, uint64_t bytes,
		 int64_t until_ms)
{
	struct task *t;

	if (q->buffer >= NBD_BUFFERS || q->at > bytes - PAGE_SIZE)
		return false;
	t = &d->task[q->buffer];
	if ((d->waiting | d->sent | d->done) & t->bit)
		return false;
	t->at = q->at;
	t->way = q->way == NBD_WRITE ? NBD_WRITE : NBD_READ;
	t->until_ms = until_ms;
	t->touched = false;
	d->waiting |= t->bit;
	return true;
}

bool desk_hear(struct desk *d, uint64_t bytes, int64_t until_ms)
{
	struct nbd_request q[NBD_BUFFERS];
	ssize_t n = recv(d->fd, q, sizeof(q), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0 || (size_t)n % sizeof(*q))
		return false;
	for (size_t i = 0; i < (size_t)n / sizeof(*q); i++)
		if (!take(d, &q[i], bytes, until_ms))
			return false;
	return true;
}

bool desk_answer(struct desk *d)
{
	struct nbd_reply reply[NBD_BUFFERS];
	size_t n = 0;
	ssize_t sent;

	if (d->waiting | d->sent)
		return true;
	for (uint64_t rest = d->done; rest; rest &= rest - 1) {
		const struct task *t = desk_first(d, rest);

		reply[n++] = (struct nbd_reply){
			.buffer = (uint32_t)(t - d->task),
			.error = t->error,
			.untouched = !t->touched,
		};
	}
	if (!n)
		return true;
	/* Not its own any more, as soon as the tier may know. */
	d->done = 0;
	do
		sent = send(d->fd, reply, n * sizeof(*reply), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)(n * sizeof(*reply));
}

void desk_done(struct task *t, int error)
{
	struct desk *d = t->desk;

	d->waiting &= ~t->bit;
	d->sent &= ~t->bit;
	d->done |= t->bit;
	t->error = error;
}

void desk_recall(struct desk *d)
{
	d->waiting |= d->sent;
	d->sent = 0;
}

void desk_fail(struct desk *d, int error)
{
	while (d->waiting)
		desk_done(desk_first(d, d->waiting), error);
}

bool desk_is_late(const struct desk *d, int64_t now_ms)
{
	for (uint64_t rest = d->waiting | d->sent; rest; rest &= rest - 1)
		if (d->task[__builtin_ctzll(rest)].until_ms <= now_ms)
			return true;
	return false;
}

void desk_time_out(struct desk *d, int64_t now_ms)
{
	for (uint64_t rest = d->waiting; rest; rest &= rest - 1) {
		struct task *t = desk_first(d, rest);

		if (t->until_ms <= now_ms)
			desk_done(t, -ETIMEDOUT);
	}
}
