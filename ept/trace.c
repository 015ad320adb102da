/* SPDX-License-Identifier: MIT */
/*
 * A buffer a thread, found by a pthread key: emitting is a copy of one cache
 * line and takes no lock. The lock is for the file and the list of buffers.
 * Buffers outlive their threads and are written at the end; a thread that
 * gets none writes its records one by one, so that even then none is lost.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "ept/trace.h"

#define BUFFER_RECORDS 1023 /* with the head, 64 KiB */

struct buffer {
	_Alignas(64) struct buffer *next;
	unsigned n;
	_Alignas(64) struct trace_record record[BUFFER_RECORDS];
};

_Static_assert(sizeof(struct buffer) == 64 << 10, "64 KiB");

struct trace {
	int fd;
	pthread_key_t key; /* a thread's struct buffer */
	pthread_mutex_t lock;
	struct buffer *buffers; /* all of them */
	int error; /* the first; nothing is written after it */
	uint64_t written, read; /* records */
	uint64_t bound; /* that may be unread; 0: any number */
	uint64_t lost;
};

/* All of it, whatever the file is: a pipe may be full, a write be cut. */
static int write_fully(int fd, const void *from, size_t bytes)
{
	const char *at = from;

	while (bytes) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };
		ssize_t n = write(fd, at, bytes);

		if (n > 0) {
			at += n;
			bytes -= (size_t)n;
		} else if (n == 0) {
			return -EIO;
		} else if (errno == EAGAIN) {
			poll(&room, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* One writer at a time, or the parts of a cut write would mix. After an error
 * the file may end within a record: more would be misread. */
static void write_records(struct trace *t, const struct trace_record *r,
			  unsigned n)
{
	pthread_mutex_lock(&t->lock);
	if (t->bound && t->written + n - t->read > t->bound) {
		t->lost += n;
	} else if (!t->error) {
		t->error = write_fully(t->fd, r, n * sizeof(*r));
		t->written += n;
	}
	pthread_mutex_unlock(&t->lock);
}

/* The calling thread's first record: give it a buffer, or NULL. */
static struct buffer *buffer_claim(struct trace *t)
{
	struct buffer *b = aligned_alloc(64, sizeof(*b));

	if (!b)
		return NULL;
	if (pthread_setspecific(t->key, b)) {
		free(b);
		return NULL;
	}
	b->n = 0;
	pthread_mutex_lock(&t->lock);
	b->next = t->buffers;
	t->buffers = b;
	pthread_mutex_unlock(&t->lock);
	return b;
}

static void buffer_write(struct trace *t, struct buffer *b)
{
	write_records(t, b->record, b->n);
	b->n = 0;
}

void trace_put(struct trace *t, const struct trace_record *r)
{
	struct buffer *b = pthread_getspecific(t->key);

	if (!b)
		b = buffer_claim(t);
	if (!b) {
		write_records(t, r, 1);
		return;
	}
	b->record[b->n++] = *r;
	if (b->n == BUFFER_RECORDS)
		buffer_write(t, b);
}

/* The header goes out at once: a full disk shows before the run begins. */
static int write_header(int fd, uint64_t tsc_hz, uint32_t refs_ms)
{
	struct trace_header h = {
		.magic = TRACE_MAGIC,
		.version = TRACE_VERSION,
		.record_bytes = sizeof(struct trace_record),
		.tsc_hz = tsc_hz,
		.tsc_start = trace_now(),
		.refs_ms = refs_ms,
	};

	return write_fully(fd, &h, sizeof(h));
}

int trace_create(struct trace **out, int fd, uint64_t tsc_hz, uint32_t refs_ms)
{
	struct trace *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->fd = fd;
	pthread_mutex_init(&t->lock, NULL);
	r = -pthread_key_create(&t->key, NULL);
	if (r)
		goto undo_alloc;
	r = write_header(fd, tsc_hz, refs_ms);
	if (r)
		goto undo_key;
	*out = t;
	return 0;

undo_key:
	pthread_key_delete(t->key);
undo_alloc:
	free(t);
	return r;
}

void trace_bound(struct trace *t, uint64_t bytes)
{
	pthread_mutex_lock(&t->lock);
	t->bound = bytes / sizeof(struct trace_record);
	pthread_mutex_unlock(&t->lock);
}

void trace_read(struct trace *t, uint64_t records)
{
	pthread_mutex_lock(&t->lock);
	if (records > t->read)
		t->read = records;
	pthread_mutex_unlock(&t->lock);
}

static uint64_t counter_of(struct trace *t, const uint64_t *counter)
{
	uint64_t n;

	pthread_mutex_lock(&t->lock);
	n = *counter;
	pthread_mutex_unlock(&t->lock);
	return n;
}

uint64_t trace_lost(struct trace *t)
{
	return counter_of(t, &t->lost);
}

uint64_t trace_written(struct trace *t)
{
	return counter_of(t, &t->written);
}

void trace_flush(struct trace *t)
{
	for (struct buffer *b = t->buffers; b; b = b->next)
		buffer_write(t, b);
}

int trace_close(struct trace *t)
{
	int r;

	while (t->buffers) {
		struct buffer *b = t->buffers;

		t->buffers = b->next;
		buffer_write(t, b);
		free(b);
	}
	/* close() may be the first to tell of an earlier failure. */
	if (close(t->fd) && !t->error)
		t->error = -errno;
	r = t->error;
	pthread_key_delete(t->key);
	pthread_mutex_destroy(&t->lock);
	free(t);
	return r;
}
