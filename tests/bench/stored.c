/* SPDX-License-Identifier: MIT */
/*
 * stored DIR PAGES ROUNDS: the file tier in DIR, beside io_uring alone on a
 * file of its own there. What it prints: reads.h.
 */
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/reads.h"

struct medium {
	struct io_uring ring;
	int fd;
};

static void write_page(struct reads *r, uint64_t page)
{
	const struct medium *m = r->medium;

	if (pwrite(m->fd, r->buffer, PAGE_SIZE, (off_t)(page * PAGE_SIZE)) !=
	    PAGE_SIZE)
		err(1, "cannot write");
}

static void read_pages(struct reads *r, const uint64_t *page, unsigned n)
{
	struct medium *m = r->medium;

	for (unsigned i = 0; i < n; i++)
		io_uring_prep_read(io_uring_get_sqe(&m->ring), m->fd,
				   reads_page(r, i), PAGE_SIZE,
				   page[i] * PAGE_SIZE);
	io_uring_submit_and_wait(&m->ring, n);
	for (unsigned i = 0; i < n; i++) {
		struct io_uring_cqe *cqe;

		if (io_uring_wait_cqe(&m->ring, &cqe) || cqe->res != PAGE_SIZE)
			errx(1, "io_uring failed");
		io_uring_cqe_seen(&m->ring, cqe);
	}
}

/* With direct I/O, where the file system has it, as the tier does. */
static int open_unnamed(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_DIRECT, 0600);

	if (fd < 0)
		fd = open(dir, O_TMPFILE | O_RDWR, 0600);
	if (fd < 0)
		err(1, "%s", dir);
	return fd;
}

int main(int argc, char **argv)
{
	struct medium m;
	struct reads r = { .write = write_page,
			   .read = read_pages,
			   .medium = &m };

	if (argc != 4)
		errx(2, "DIR PAGES ROUNDS");
	r.pages = strtoul(argv[2], NULL, 0);
	m.fd = open_unnamed(argv[1]);
	if (!r.pages ||
	    posix_fallocate(m.fd, 0, (off_t)(r.pages * PAGE_SIZE)) ||
	    io_uring_queue_init(TIER_BATCH, &m.ring, 0) ||
	    tier_file_create(&r.tier, argv[1], r.pages * PAGE_SIZE))
		errx(1, "%s: no room for %lu pages", argv[1], r.pages);
	reads_run(&r, atoi(argv[3]));
	return 0;
}
