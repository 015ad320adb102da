/* SPDX-License-Identifier: MIT */
/*
 * A pipe: a page of bytes between two files. in and out count bytes for ever:
 *
 *	out               in           out + PIPE_BYTES
 *	 | to be read      | room        |
 */
#include "guest/fs/file.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/slab.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/proc/sleep.h"

#define PIPE_BYTES PAGE_SIZE

/*
 * A copy from or to a program may sleep, and the pipe be another afterwards:
 * bytes go by way of a buffer of this size.
 */
#define PART 512u

struct pipe {
	struct frame *frame;
	uint64_t in, out;
	bool reader, writer; /* there still is one */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static char *byte_at(struct pipe *p, uint64_t at)
{
	return (char *)direct(frame_pa(p->frame)) + at % PIPE_BYTES;
}

static size_t to_edge(uint64_t at)
{
	return PIPE_BYTES - at % PIPE_BYTES;
}

static size_t pull(struct pipe *p, char *to, size_t most)
{
	size_t n = least(most, p->in - p->out),
	       head = least(n, to_edge(p->out));

	memcpy(to, byte_at(p, p->out), head);
	memcpy(to + head, byte_at(p, p->out + head), n - head);
	p->out += n;
	wake(p);
	return n;
}

static size_t push(struct pipe *p, const char *from, size_t most)
{
	size_t n = least(most, PIPE_BYTES - (p->in - p->out));
	size_t head = least(n, to_edge(p->in));

	memcpy(byte_at(p, p->in), from, head);
	memcpy(byte_at(p, p->in + head), from + head, n - head);
	p->in += n;
	wake(p);
	return n;
}

/* Waits for the first byte, takes what is there. */
static int64_t read(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	struct pipe *p = f->pipe;
	size_t done = 0, part;
	char buffer[PART];

	while (n && p->in == p->out && p->writer) {
		if (process_dying())
			return -EINTR;
		sleep_on(p);
	}
	while ((part = pull(p, buffer, least(n - done, PART)))) {
		if (user_write(s, user + done, buffer, part))
			return done ? (int64_t)done : -EFAULT;
		done += part;
	}
	return (int64_t)done;
}

/* All @n bytes go in, however long that takes. */
static int push_all(struct pipe *p, const char *from, size_t n)
{
	size_t done = 0, part;

	for (;;) {
		if (!p->reader)
			return -EPIPE;
		if (process_dying())
			return -EINTR;
		part = push(p, from + done, n - done);
		done += part;
		if (done == n)
			return 0;
		sleep_on(p);
	}
}

/* All of it, or what was written before it could not go on. */
static int64_t write(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	size_t done = 0, part;
	char buffer[PART];
	int error = 0;

	for (; done < n; done += part) {
		part = least(n - done, PART);
		error = user_read(s, buffer, user + done, part);
		if (!error)
			error = push_all(f->pipe, buffer, part);
		if (error)
			break;
	}
	return done ? (int64_t)done : error;
}

static void close(struct file *f)
{
	struct pipe *p = f->pipe;

	if (f->flags & OPEN_READ)
		p->reader = false;
	else
		p->writer = false;
	wake(p);
	if (p->reader || p->writer)
		return;
	frame_put(p->frame);
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
	if (p)
		p->frame = frame_alloc_raw(FRAME_KERNEL);
	if (!p || !p->frame || !end[0] || !end[1]) {
		kfree(end[0]);
		kfree(end[1]);
		if (p && p->frame)
			frame_put(p->frame);
		kfree(p);
		return -ENOMEM;
	}
	p->reader = p->writer = true;
	end[0]->pipe = end[1]->pipe = p;
	return 0;
}
