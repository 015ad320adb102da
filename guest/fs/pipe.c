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
#include "guest/lib/base.h"
#include "guest/mm/slab.h"
#include "guest/proc/sched.h"

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

/*
 * Who reads waits for the first byte, and takes what is there; who writes
 * waits until all of it is in.
 */
static int64_t copy(struct file *f, uintptr_t user, size_t n, bool write)
{
	struct space *s = current()->space;
	struct pipe *p = f->pipe;
	uint64_t *at = write ? &p->in : &p->out;
	size_t done = 0;
	int error = 0;

	while (done < n && !error) {
		char *page = user_byte(s, user + done, !write);
		char *ring = p->bytes + *at % PIPE_BYTES;
		size_t there = p->in - p->out;
		size_t part = in_a_row(
			*at, user + done,
			least(n - done, write ? PIPE_BYTES - there : there));

		if (!page) {
			error = -EFAULT;
		} else if (write && !p->reader) {
			error = -EPIPE;
		} else if (part) {
			memcpy(write ? ring : page, write ? page : ring, part);
			*at += part;
			done += part;
			wake(p);
		} else if (!write && (done || !p->writer)) {
			break;
		} else if (process_dying()) {
			error = -EINTR;
		} else {
			sleep_on(p);
		}
	}
	return done ? (int64_t)done : error;
}

void pipe_close(struct file *f)
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

int pipe_new(struct file *end[2])
{
	struct pipe *p = kzalloc(sizeof(*p));

	end[0] = file_new(copy, OPEN_READ);
	end[1] = file_new(copy, OPEN_WRITE);
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
