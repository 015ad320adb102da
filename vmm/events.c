/* SPDX-License-Identifier: MIT */
#include "vmm/events.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/safe_json.h"

struct event_line {
	int64_t us;
	char what[24], detail[224];
};

_Static_assert(sizeof(struct event_line) == 256, "as EVENTS says");

struct events {
	pthread_mutex_t lock;
	int fd;
	uint64_t next; /* the newest one's number, and 1 */
	uint64_t first; /* there was none before */
	struct event_line line[EVENTS]; /* by number */
};

struct events *events_create(void)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (e->fd < 0) {
		free(e);
		return NULL;
	}
	pthread_mutex_init(&e->lock, NULL);
	e->next = e->first = 1;
	return e;
}

void events_destroy(struct events *e)
{
	if (!e)
		return;
	close(e->fd);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

static int64_t unix_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* With the next number, or number @seq where that is later. */
static void add(struct events *e, uint64_t seq, int64_t us, const char *what,
		const char *detail)
{
	const uint64_t one = 1;
	struct event_line *l;

	pthread_mutex_lock(&e->lock);
	if (seq > e->next)
		e->next = e->first = seq;
	l = &e->line[e->next++ % EVENTS];
	l->us = us;
	snprintf(l->what, sizeof(l->what), "%s", what);
	snprintf(l->detail, sizeof(l->detail), "%s", detail);
	/* One that is full says the same. */
	if (write(e->fd, &one, sizeof(one)) < 0)
		l->us = us;
	pthread_mutex_unlock(&e->lock);
}

void events_tell(struct events *e, const char *what, const char *detail)
{
	if (e)
		add(e, 0, unix_us(), what, detail);
}

uint64_t events_next(struct events *e)
{
	uint64_t next;

	pthread_mutex_lock(&e->lock);
	next = e->next;
	pthread_mutex_unlock(&e->lock);
	return next;
}

bool events_lost(struct events *e, uint64_t *from)
{
	uint64_t oldest;

	pthread_mutex_lock(&e->lock);
	oldest = e->next > EVENTS ? e->next - EVENTS : 1;
	oldest = oldest > e->first ? oldest : e->first;
	pthread_mutex_unlock(&e->lock);
	if (*from >= oldest)
		return false;
	*from = oldest;
	return true;
}

static json_t *line_json(uint64_t seq, const struct event_line *l)
{
	return json_pack("{s:I, s:I, s:o, s:o}", "seq", safe_count(seq),
			 "time_us", (json_int_t)l->us, "event",
			 safe_text(l->what), "detail", safe_text(l->detail));
}

json_t *events_list(struct events *e, uint64_t from, unsigned most)
{
	json_t *list = json_array();

	events_lost(e, &from);
	pthread_mutex_lock(&e->lock);
	for (; from < e->next && most; from++, most--)
		json_array_append_new(list,
				      line_json(from, &e->line[from % EVENTS]));
	pthread_mutex_unlock(&e->lock);
	return list;
}

unsigned events_add(struct events *e, json_t *list)
{
	unsigned n = 0;
	json_t *line;
	size_t i;

	json_array_foreach(list, i, line)
	{
		const char *what, *detail;
		json_int_t seq, us;

		if (json_unpack(line, "{s:I, s:I, s:s, s:s}", "seq", &seq,
				"time_us", &us, "event", &what, "detail",
				&detail))
			break;
		add(e, (uint64_t)seq, us, what, detail);
		n++;
	}
	return n;
}

int events_fd(const struct events *e)
{
	return e->fd;
}
