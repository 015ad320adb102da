/* SPDX-License-Identifier: MIT */
/*
 * A pipe: bytes between two files, in a ring. in and out count for ever:
 *
 *	out               in           out + PIPE_BYTES
 *	 | to be read      | room        |
 *
 * They are copied between the ring and the program's own page, as much as is
 * in a row in both. To find that page may sleep: only then is the ring looked
 * at.
 */
#include "guest/fs/file.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/slab.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/proc/sleep.h"

#define PIPE_BYTES (PAGE_SIZE - 24)

struct pipe {
	uint64_t in, out;
	bool reader, writer; /* there still is one */
	char bytes[PIPE_BYTES];
};

static_assert(sizeof(struct pipe) == PAGE_SIZE, "one frame");

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Of @n bytes, those in a row from @at in the ring and @user in its page. */
static size_t in_a_row(uint64_t at, uintptr_t user, size_t n)
{
	n = least(n, PIPE_BYTES - at % PIPE_BYTES);
	return least(n, PAGE_SIZE - page_offset(user));
}

/* Waits for the first byte, takes what is there. */
static int64_t read(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	struct pipe *p = f->pipe;
	size_t done = 0, part;

	while (n && p->in == p->out && p->writer) {
		if (process_dying())
			return -EINTR;
		sleep_on(p);
	}
	for (; done < n && p->in != p->out; done += part) {
		char *to = user_byte(s, user + done, true);

		if (!to)
			return done ? (int64_t)done : -EFAULT;
		part = in_a_row(p->out, user + done,
				least(n - done, p->in - p->out));
		memcpy(to, p->bytes + p->out % PIPE_BYTES, part);
		p->out += part;
		wake(p);
	}
	return (int64_t)done;
}

/* The same to the ring, with what there is room for; -errno: never again. */
static int64_t write_part(struct pipe *p, struct space *s, uintptr_t user,
			  size_t n)
{
	const char *from = user_byte(s, user, false);
	size_t part;

	if (!from)
		return -EFAULT;
	if (!p->reader)
		return -EPIPE;
	if (process_dying())
		return -EINTR;
	part = in_a_row(p->in, user, least(n, PIPE_BYTES - (p->in - p->out)));
	memcpy(p->bytes + p->in % PIPE_BYTES, from, part);
	p->in += part;
	wake(p);
	return (int64_t)part;
}

/* All of it, however long that takes, or what went in before an error. */
static int64_t write(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	size_t done = 0;

	while (done < n) {
		int64_t part = write_part(f->pipe, s, user + done, n - done);

		if (part < 0)
			return done ? (int64_t)done : part;
		done += (size_t)part;
		if (!part)
			sleep_on(f->pipe);
	}
	return (int64_t)done;
}

static void close(struct file *f)
{
	struct pipe *p = f->pipe;

	if (f->flags & OPEN_READ)
		p->reader = false;
	else
		p->writer = false;
	wake(p);
	if (!p->reader && !p->writer)
		kfree(p);
}

static const struct file_ops pipe_ops = {
	.read = read,
	.write = write,
	.close = close,
	.kind = FILE_PIPE,
};

int pipe_new(struct file *end[2])
{
	struct pipe *p = kzalloc(sizeof(*p));

	end[0] = file_new(&pipe_ops, OPEN_READ);
	end[1] = file_new(&pipe_ops, OPEN_WRITE);
	if (!p || !end[0] || !end[1]) {
		kfree(end[0]);
		kfree(end[1]);
		kfree(p);
		return -ENOMEM;
	}
	p->reader = p->writer = true;
	end[0]->pipe = end[1]->pipe = p;
	return 0;
}
