/* SPDX-License-Identifier: MIT */
/*
 * Swap in a file that has no name, or on a block device: a page a place, the
 * place's number its handle. Storing and loading have a lane each, so that a
 * fault never queues behind the reclaim thread. The file is never mapped: what
 * goes wrong with it is an error code, not a signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ept/lane.h"
#include "ept/places.h"

_Static_assert(TIER_BATCH <= LANE_BATCH, "a batch goes in one run");

struct tier_file {
	struct tier base;
	int fd;
	struct lane lane[2]; /* by enum lane_way */
	struct places places;
};

static struct tier_file *file_of(struct tier *t)
{
	return (struct tier_file *)t;
}

static void store(struct tier *base, struct tier_io *io, unsigned n,
		  bool raw_ok)
{
	struct tier_file *t = file_of(base);
	struct lane_io batch[TIER_BATCH];
	uint64_t place[TIER_BATCH];
	unsigned got = places_take(&t->places, place, n);

	(void)raw_ok; /* every page is raw here */
	for (unsigned i = 0; i < got; i++)
		batch[i] = (struct lane_io){ .page = io[i].page,
					     .at = place[i] << PAGE_SHIFT };
	lane_run(&t->lane[LANE_WRITE], t->fd, LANE_WRITE, batch, got);
	for (unsigned i = 0; i < n; i++) {
		io[i].error = i < got ? batch[i].error : -ENOSPC;
		if (i >= got)
			continue;
		io[i].where = place[i];
		if (io[i].error)
			places_failed(&t->places, place[i], io[i].error);
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
	places_free(&file_of(base)->places, where);
}

static unsigned bytes(struct tier *base, uint64_t where)
{
	(void)base;
	(void)where;
	return PAGE_SIZE;
}

static void stats(struct tier *base, struct tier_stats *st)
{
	places_stats(&file_of(base)->places, st);
}

static void destroy(struct tier *base)
{
	struct tier_file *t = file_of(base);

	lane_destroy(&t->lane[LANE_READ]);
	lane_destroy(&t->lane[LANE_WRITE]);
	places_destroy(&t->places);
	close(t->fd);
	free(t);
}

static const struct tier_ops file_ops = {
	.name = "file",
	.store = store,
	.load = load,
	.release = release,
	.bytes = bytes,
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
	r = places_init(&t->places, size >> PAGE_SHIFT);
	if (r)
		goto undo_open;
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
