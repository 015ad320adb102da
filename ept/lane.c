/* SPDX-License-Identifier: MIT */
/*
 * The kernel writes into pages as long as a request is in flight, so a run
 * must not return before every request it submitted has completed: not even
 * when the ring fails in the middle.
 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "ept/addr.h"
#include "ept/lane.h"

/* A file that says "try again" is asked this often, a millisecond apart. */
#define AGAIN_MAX 100

static void pause_ms(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static ssize_t move_some(int fd, enum lane_way way, const struct lane_io *io,
			 size_t done)
{
	char *page = (char *)io->page + done;
	off_t at = (off_t)(io->at + done);

	return way == LANE_READ ? pread(fd, page, PAGE_SIZE - done, at)
				: pwrite(fd, page, PAGE_SIZE - done, at);
}

/* One page by plain calls, however often they stop short. No bytes at all is
 * the end of a file that should not end there. */
static int move_page(int fd, enum lane_way way, const struct lane_io *io)
{
	unsigned again = 0;
	size_t done = 0;

	while (done < PAGE_SIZE) {
		ssize_t n = move_some(fd, way, io, done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0)
			return -EIO;
		else if (errno == EAGAIN && again++ < AGAIN_MAX)
			pause_ms();
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* What a completion says about its page. Anything but a whole page or an error
 * of the medium is done over by plain calls: -EAGAIN. */
static int result_of(int res)
{
	if (res == (int)PAGE_SIZE)
		return 0;
	return res >= 0 || res == -EINTR ? -EAGAIN : res;
}

static unsigned reap(struct lane *l, struct lane_io *io)
{
	struct io_uring_cqe *cqe;
	unsigned n = 0;

	while (io_uring_peek_cqe(&l->ring, &cqe) == 0) {
		io[io_uring_cqe_get_data64(cqe)].error = result_of(cqe->res);
		io_uring_cqe_seen(&l->ring, cqe);
		n++;
	}
	return n;
}

static void queue_all(struct lane *l, int fd, enum lane_way way,
		      struct lane_io *io, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&l->ring);

		if (way == LANE_READ)
			io_uring_prep_read(sqe, fd, io[i].page, PAGE_SIZE,
					   io[i].at);
		else
			io_uring_prep_write(sqe, fd, io[i].page, PAGE_SIZE,
					    io[i].at);
		io_uring_sqe_set_data64(sqe, i);
		io[i].error = -EAGAIN;
	}
}

/* The ring fails us: let what is in flight land, then do without it. What was
 * queued but not submitted goes with it. */
static void abandon(struct lane *l, struct lane_io *io, unsigned in_flight)
{
	while (in_flight) {
		in_flight -= reap(l, io);
		if (in_flight)
			pause_ms();
	}
	io_uring_queue_exit(&l->ring);
	l->has_ring = false;
}

/* Move the batch through the ring. Pages it could not finish have -EAGAIN. */
static void run_ring(struct lane *l, int fd, enum lane_way way,
		     struct lane_io *io, unsigned n)
{
	unsigned submitted = 0, done = 0;

	queue_all(l, fd, way, io, n);
	while (done < n) {
		int r = io_uring_submit_and_wait(&l->ring, n - done);

		if (r > 0)
			submitted += (unsigned)r;
		done += reap(l, io);
		if (r < 0 && r != -EINTR) {
			abandon(l, io, submitted - done);
			return;
		}
	}
}

/* Take the ring if that makes sense and can be had at once. */
static bool take_ring(struct lane *l, unsigned n)
{
	if (n == 1 || pthread_mutex_trylock(&l->taken))
		return false;
	if (l->has_ring)
		return true;
	pthread_mutex_unlock(&l->taken);
	return false;
}

void lane_run(struct lane *l, int fd, enum lane_way way, struct lane_io *io,
	      unsigned n)
{
	if (take_ring(l, n)) {
		run_ring(l, fd, way, io, n);
		pthread_mutex_unlock(&l->taken);
	} else {
		for (unsigned i = 0; i < n; i++)
			io[i].error = -EAGAIN;
	}
	for (unsigned i = 0; i < n; i++)
		if (io[i].error == -EAGAIN)
			io[i].error = move_page(fd, way, &io[i]);
}

void lane_init(struct lane *l, bool queue)
{
	pthread_mutex_init(&l->taken, NULL);
	l->has_ring =
		queue && io_uring_queue_init(LANE_BATCH, &l->ring, 0) == 0;
}

void lane_destroy(struct lane *l)
{
	if (l->has_ring)
		io_uring_queue_exit(&l->ring);
	pthread_mutex_destroy(&l->taken);
}
