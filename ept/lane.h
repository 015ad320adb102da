/* SPDX-License-Identifier: MIT */
/*
 * A lane: whole pages to or from places in a file, a batch at a time. A batch
 * is queued in one io_uring and waited for once. Where there is no ring (not
 * wanted, forbidden, failed), or another thread is using it, or there is one
 * page only, plain reads and writes do the same: nobody ever waits for
 * somebody else's batch.
 */
#ifndef EPT_LANE_H
#define EPT_LANE_H

#include <liburing.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define LANE_BATCH 64 /* the most pages of one run */

enum lane_way { LANE_READ, LANE_WRITE };

/* One page. */
struct lane_io {
	void *page; /* PAGE_SIZE bytes, page-aligned */
	uint64_t at; /* its place in the file, bytes */
	int error; /* result: 0 or -errno; 0 only when all bytes moved */
};

struct lane {
	pthread_mutex_t taken;
	struct io_uring ring;
	bool has_ring;
};

/* Cannot fail; allocates all that lane_run needs. @queue: a medium that works
 * on many requests at a time; for others a ring only costs. */
void lane_init(struct lane *l, bool queue);
void lane_destroy(struct lane *l);

/* Move @n <= LANE_BATCH pages, each with its own result. Blocks; any thread. */
void lane_run(struct lane *l, int fd, enum lane_way way, struct lane_io *io,
	      unsigned n);

#endif
