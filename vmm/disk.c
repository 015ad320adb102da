/* SPDX-License-Identifier: MIT */
#include "vmm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/beside.h"

#define SECTOR	512u
#define SCRATCH (UINT64_C(64) << 20)

/* Where it is not in the way; in memory if there is no such place. */
static int unnamed_file(void)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder ? folder : "/var/tmp",
		      O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : memfd_create("disk", MFD_CLOEXEC);
}

/* An open file description's lock: another process, or another open of this
 * one, that wants it too is told so. */
static bool lock(int fd, bool readonly)
{
	struct flock l = { .l_type = readonly ? F_RDLCK : F_WRLCK,
			   .l_whence = SEEK_SET };
	int r;

	do
		r = fcntl(fd, F_OFD_SETLK, &l);
	while (r && errno == EINTR);
	return !r;
}

static bool measure(struct disk *d, const char *path, struct complaint *why)
{
	struct stat st;

	if (fstat(d->fd, &st))
		return complaint_set(why, "disk %s: %s", path, strerror(errno));
	d->block = S_ISBLK(st.st_mode);
	d->bytes = (uint64_t)st.st_size;
	if (!d->block && !S_ISREG(st.st_mode))
		return complaint_set(why,
				     "disk %s: neither a file nor a block "
				     "device",
				     path);
	if (d->block && ioctl(d->fd, BLKGETSIZE64, &d->bytes))
		return complaint_set(why, "disk %s: %s", path, strerror(errno));
	return (d->bytes && d->bytes % SECTOR == 0) ||
	       complaint_set(why,
			     "disk %s: its %llu bytes are no whole number of "
			     "sectors of %u",
			     path, (unsigned long long)d->bytes, SECTOR);
}

static bool open_path(struct disk *d, const struct disk_option *o,
		      struct complaint *why)
{
	bool readonly = o->readonly || o->copy;
	/* O_EXCL: not a device that somebody has mounted. */
	int flags = readonly ? O_RDONLY : O_RDWR | O_EXCL;

	/* O_NONBLOCK: a FIFO must not make us wait. */
	d->fd = open(o->path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (d->fd < 0)
		return complaint_set(
			why, "disk %s: %s%s", o->path, strerror(errno),
			errno == EACCES && !readonly ? "; try readonly=on"
						     : "");
	if (measure(d, o->path, why) &&
	    (lock(d->fd, readonly) ||
	     complaint_set(why, "disk %s: %s", o->path,
			   errno == EAGAIN || errno == EACCES
				   ? "another VM is using it"
				   : strerror(errno))))
		return true;
	close(d->fd);
	return false;
}

bool disk_open(struct disk *d, const struct disk_option *o,
	       struct complaint *why)
{
	*d = (struct disk){ .fd = -1, .bytes = o->bytes };
	return !o->path || open_path(d, o, why);
}

/* Bytes [at, end) of one file to the same place of the other. */
static int copy_range(int to, int from, off_t at, off_t end)
{
	if (lseek(to, at, SEEK_SET) < 0)
		return -errno;
	while (at < end) {
		ssize_t n = sendfile(to, from, &at, (size_t)(end - at));

		if (n == 0)
			return -EIO; /* it became shorter */
		if (n < 0 && errno != EINTR)
			return -errno;
	}
	return 0;
}

/* What is no hole. */
static int copy_bytes(int to, int from, off_t size)
{
	int r = ftruncate(to, size) ? -errno : 0;
	off_t end = 0;

	while (!r) {
		off_t at = lseek(from, end, SEEK_DATA);

		if (at < 0)
			return errno == ENXIO ? 0 : -errno;
		end = lseek(from, at, SEEK_HOLE);
		r = end < 0 ? -errno : copy_range(to, from, at, end);
	}
	return r;
}

/* All of @from, or none of its bytes where the file system can share them. */
static int copy_file(int to, int from)
{
	struct stat st;

	if (!ioctl(to, FICLONE, from))
		return 0;
	return fstat(from, &st) ? -errno : copy_bytes(to, from, st.st_size);
}

int disk_make(const struct disk_option *o, int *fd)
{
	int made, r;

	if (o->path && !o->copy)
		return 0;
	made = unnamed_file();
	if (made < 0)
		return -errno;
	if (o->path)
		r = copy_file(made, *fd);
	else
		r = ftruncate(made, (off_t)o->bytes) ? -errno : 0;
	if (r) {
		close(made);
		return r;
	}
	if (*fd >= 0)
		close(*fd);
	*fd = made;
	return 0;
}

bool disk_defaults(struct run_options *o, struct complaint *why)
{
	char path[PATH_MAX];

	if (o->kernel || o->disks || !beside_find(path, "guest/disk.img"))
		return true;
	o->disk[0] = (struct disk_option){ .path = strdup(path), .copy = true };
	o->disk[1] = (struct disk_option){ .bytes = SCRATCH };
	o->disks = 2;
	return o->disk[0].path || complaint_set(why, "no memory");
}
