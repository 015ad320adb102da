/* SPDX-License-Identifier: MIT */
/* A lane of the tier (ept/nbd_wire.h), seen from the helper. A request is in
 * one of three sets, or not there. */
#ifndef VMM_NBD_DESK_H
#define VMM_NBD_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "ept/nbd_wire.h"

struct desk;

struct task {
	struct desk *desk;
	uint64_t bit; /* which of its desk's */
	void *page;
	uint64_t at;
	enum nbd_way way;
	int64_t until_ms; /* then it is given up */
	bool touched; /* a server may have had it */
	int error; /* once done: 0 or -errno */
};

struct desk {
	int fd;
	/* To be sent; sent, no answer yet; answered, the tier does not know. */
	uint64_t waiting, sent, done;
	struct task task[NBD_BUFFERS];
};

void desk_init(struct desk *d, int fd, uint8_t *pages);

/* Take what the tier wants; each may take until @until_ms. False: the tier is
 * gone, or asked for something beyond @bytes. */
bool desk_hear(struct desk *d, uint64_t bytes, int64_t until_ms);

/* Tell the tier what is done, once all is: who asked for a batch waits for the
 * whole of it. False: the tier is gone. */
bool desk_answer(struct desk *d);

/* The end of a task that waits or was sent. */
void desk_done(struct task *t, int error);

/* All that was sent waits again: the server is gone. */
void desk_recall(struct desk *d);

/* End all tasks that wait. */
void desk_fail(struct desk *d, int error);

/* Is a task that waits or was sent late? */
bool desk_is_late(const struct desk *d, int64_t now_ms);

/* End those that wait and are late. */
void desk_time_out(struct desk *d, int64_t now_ms);

/* The lowest task of a set that is not empty. */
static inline struct task *desk_first(struct desk *d, uint64_t set)
{
	return &d->task[__builtin_ctzll(set)];
}

#endif
