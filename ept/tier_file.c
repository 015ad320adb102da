/* SPDX-License-Identifier: MIT */
/*
 * Swap in a file that has no name, or on a block device: a page a place, the
 * place's number its handle. Storing and loading have a lane each, so that a
 * fault never queues behind the reclaim thread. The file is never mapped: what
 * goes wrong with it is an error code, not a signal.
 *
 * Places are found next-fit, which keeps a batch together on the medium. A
 * place that failed a write stays taken for good.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ept/lane.h"
#include "ept/tier.h"

_Static_assert(TIER_BATCH <= LANE_BATCH, "a batch goes in one run");

struct tier_file {
	struct tier base;
	int fd;
	struct lane lane[2]; /* by enum lane_way */
	pthread_mutex_t lock; /* of what follows */
	uint64_t places, next; /* how many; where to look first */
	uint64_t taken, held; /* not free; and with a page in it */
	uint64_t *map; /* a bit a place: taken */
};

static struct tier_file *file_of(struct tier *t)
{
	return (struct tier_file *)t;
}

/* The next free place at or after t->next; there is one. */
static uint64_t place_find(const struct tier_file *t)
{
	uint64_t words = (t->places + 63) / 64, w = t->next / 64;
	uint64_t free = ~t->map[w] & UINT64_MAX << t->next % 64;

	while (!free) {
		w = (w + 1) % words;
		free = ~t->map[w];
	}
	return w * 64 + (unsigned)__builtin_ctzll(free);
}

/* Take up to @n places. Returns how many there were. */
static unsigned places_take(struct tier_file *t, struct lane_io *io, unsigned n)
{
	unsigned got = 0;

	pthread_mutex_lock(&t->lock);
	for (; got < n && t->taken < t->places; got++) {
		uint64_t place = place_find(t);

		t->map[place / 64] |= UINT64_C(1) << place % 64;
		t->taken++;
		t->held++;
		t->next = (place + 1) % t->places;
		io[got].at = place << PAGE_SHIFT;
	}
	pthread_mutex_unlock(&t->lock);
	return got;
}

static void place_free(struct tier_file *t, uint64_t place)
{
	pthread_mutex_lock(&t->lock);
	t->map[place / 64] &= ~(UINT64_C(1) << place % 64);
	t->taken--;
	t->held--;
	pthread_mutex_unlock(&t->lock);
}

static void place_quarantine(struct tier_file *t)
{
	pthread_mutex_lock(&t->lock);
	t->held--;
	pthread_mutex_unlock(&t->lock);
}

/* No room is no fault of the place (the file system may share blocks, or the
 * device be thinly provisioned); any other failure is. */
static void place_failed(struct tier_file *t, uint64_t place, int error)
{
	if (error == -ENOSPC || error == -EDQUOT)
		place_free(t, place);
	else
		place_quarantine(t);
}

static void store(struct tier *base, struct tier_io *io, unsigned n,
		  bool raw_ok)
{
	struct tier_file *t = file_of(base);
	struct lane_io batch[TIER_BATCH];
	unsigned got = places_take(t, batch, n);

	(void)raw_ok; /* every page is raw here */
	for (unsigned i = 0; i < n; i++)
		batch[i].page = io[i].page;
	lane_run(&t->lane[LANE_WRITE], t->fd, LANE_WRITE, batch, got);
	for (unsigned i = 0; i < n; i++) {
		io[i].error = i < got ? batch[i].error : -ENOSPC;
		if (i >= got)
			continue;
		io[i].where = batch[i].at >> PAGE_SHIFT;
		if (io[i].error)
			place_failed(t, io[i].where, io[i].error);
	}
}

static void load(struct tier *base, struct tier_io *io, unsigned n)
{
	struct tier_file *t = file_of(base);
	struct lane_io batch[TIER_BATCH];

	for (unsigned i = 0; i < n; i++)
		batch[i] = (struct lane_io){ .page = io[i].page,
					     .at = io[i].where << PAGE_SHIFT };
	lane_run(&t->lane[LANE_READ], t->fd, LANE_READ, batch, n);
	for (unsigned i = 0; i < n; i++)
		io[i].error = batch[i].error;
}

static void release(struct tier *base, uint64_t where)
{
	place_free(file_of(base), where);
}

static void stats(struct tier *base, struct tier_stats *st)
{
	struct tier_file *t = file_of(base);

	pthread_mutex_lock(&t->lock);
	*st = (struct tier_stats){
		.pages = t->held,
		.raw_bytes = t->held << PAGE_SHIFT,
		.stored_bytes = t->held << PAGE_SHIFT,
	};
	pthread_mutex_unlock(&t->lock);
}

static void destroy(struct tier *base)
{
	struct tier_file *t = file_of(base);

	lane_destroy(&t->lane[LANE_READ]);
	lane_destroy(&t->lane[LANE_WRITE]);
	pthread_mutex_destroy(&t->lock);
	close(t->fd);
	free(t->map);
	free(t);
}

static const struct tier_ops file_ops = {
	.name = "file",
	.store = store,
	.load = load,
	.release = release,
	.stats = stats,
	.destroy = destroy,
};

/* Direct where it can be: the page cache would keep a second copy of what we
 * store to get rid of it. */
static int open_direct(const char *path, int flags)
{
	int fd = open(path, flags | O_DIRECT, 0);

	if (fd < 0 && errno == EINVAL)
		fd = open(path, flags, 0);
	if (fd < 0 && errno == EISDIR)
		return -ENOTSUP; /* a file system without O_TMPFILE */
	return fd < 0 ? -errno : fd;
}

/* Room is claimed now, or the disk would be found full in the middle of a
 * reclaim. O_EXCL: the file can never get a name. */
static int open_in_directory(const char *path, uint64_t *size)
{
	int fd, r = 0;

	*size &= ~PAGE_MASK;
	if (!*size || *size > INT64_MAX)
		return -EINVAL;
	fd = open_direct(path, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fd;
	do
		r = fallocate(fd, 0, 0, (off_t)*size);
	while (r && errno == EINTR);
	if (!r)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* O_EXCL: not while somebody else has it mounted. */
static int open_device(const char *path, uint64_t *size)
{
	int fd = open_direct(path, O_EXCL | O_RDWR | O_CLOEXEC), r = 0;
	uint64_t all;

	if (fd < 0)
		return fd;
	if (ioctl(fd, BLKGETSIZE64, &all))
		r = -errno;
	else if (*size > all)
		r = -ENOSPC;
	else
		*size = (*size ? *size : all) & ~PAGE_MASK;
	if (!r && *size)
		return fd;
	close(fd);
	return r ? r : -EINVAL;
}

static int open_medium(const char *path, uint64_t *size)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return open_in_directory(path, size);
	if (S_ISBLK(st.st_mode))
		return open_device(path, size);
	return -ENOTDIR;
}

/* Is there a medium that works on requests while we wait? The page cache and
 * tmpfs copy at once, and io_uring hands that to threads: 6 us a page instead
 * of 1.5. On a disk it is 20 instead of 60. */
static bool queues_requests(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type != TMPFS_MAGIC &&
	       (fcntl(fd, F_GETFL) & O_DIRECT);
}

/* All places free; those that the last word has beyond the end are not. */
static int make_map(struct tier_file *t)
{
	uint64_t words = (t->places + 63) / 64;

	t->map = calloc(words, sizeof(*t->map));
	if (!t->map)
		return -ENOMEM;
	if (t->places % 64)
		t->map[words - 1] = UINT64_MAX << t->places % 64;
	return 0;
}

int tier_file_create(struct tier **out, const char *path, uint64_t size)
{
	struct tier_file *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->base.ops = &file_ops;
	t->fd = r = open_medium(path, &size);
	if (r < 0)
		goto undo_alloc;
	t->places = size >> PAGE_SHIFT;
	r = make_map(t);
	if (r)
		goto undo_open;
	pthread_mutex_init(&t->lock, NULL);
	lane_init(&t->lane[LANE_READ], queues_requests(t->fd));
	lane_init(&t->lane[LANE_WRITE], queues_requests(t->fd));
	*out = &t->base;
	return 0;

undo_open:
	close(t->fd);
undo_alloc:
	free(t);
	return r;
}
