/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ept/share_object.h"

#define FOLDER "/dev/shm"
#define PREFIX "twofold-%u-" /* the user */
#define FLAGS  (O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/* Not one of several names, not another user's, not for others to write. */
static bool is_ours(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	       st->st_uid == geteuid() && !(st->st_mode & 077);
}

/* Remove the name of @fd, unless somebody else holds it; what is no longer at
 * @name has no name at all. */
static void remove_unheld(const char *name, int fd)
{
	struct stat st;

	if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &st) && is_ours(&st))
		unlink(name);
}

static void sweep_one(const char *name)
{
	int fd = open(name, FLAGS);

	if (fd < 0)
		return;
	remove_unheld(name, fd);
	close(fd);
}

/* Objects of ours that nobody holds are of VMs that were killed. */
static void sweep(void)
{
	DIR *folder = opendir(FOLDER);
	char prefix[32], name[sizeof(((struct share_object *)0)->name)];
	struct dirent *e;

	if (!folder)
		return;
	snprintf(prefix, sizeof(prefix), PREFIX, geteuid());
	while ((e = readdir(folder)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)) &&
		    (size_t)snprintf(name, sizeof(name), FOLDER "/%s",
				     e->d_name) < sizeof(name))
			sweep_one(name);
	closedir(folder);
}

/* 0; -EAGAIN: its last user removed it just then; -EPERM. */
static int lock(int fd)
{
	struct stat st;

	while (flock(fd, LOCK_SH))
		if (errno != EINTR)
			return -errno;
	if (fstat(fd, &st))
		return -errno;
	if (!st.st_nlink)
		return -EAGAIN;
	return is_ours(&st) ? 0 : -EPERM;
}

/* Open the object, made if need be, and hold it. A descriptor or -errno. */
static int hold(const char *name)
{
	int fd, r;

	do {
		fd = open(name, FLAGS | O_CREAT, 0600);
		if (fd < 0)
			return -errno;
		r = lock(fd);
		if (r)
			close(fd);
	} while (r == -EAGAIN);
	return r ? r : fd;
}

uint64_t share_object_bytes(const struct share_object *o)
{
	struct stat st;

	return fstat(o->fd, &st) ? 0 : (uint64_t)st.st_blocks * 512;
}

/* Is there room for what the object does not hold yet? */
static bool has_room(const struct share_object *o, uint64_t bytes)
{
	uint64_t missing = bytes - share_object_bytes(o);
	struct statfs f;

	return !fstatfs(o->fd, &f) &&
	       (!f.f_blocks || f.f_bavail * (uint64_t)f.f_bsize >= missing);
}

static int open_named(struct share_object *o, const struct stat *file,
		      uint64_t bytes)
{
	snprintf(o->name, sizeof(o->name),
		 FOLDER "/" PREFIX "%llx-%llx-%llx-%llx.%lx", geteuid(),
		 (unsigned long long)file->st_dev,
		 (unsigned long long)file->st_ino,
		 (unsigned long long)file->st_size,
		 (unsigned long long)file->st_mtim.tv_sec,
		 file->st_mtim.tv_nsec);
	o->fd = hold(o->name);
	if (o->fd < 0)
		return o->fd;
	if (!ftruncate(o->fd, (off_t)bytes) && has_room(o, bytes))
		return 0;
	share_object_close(o);
	return -ENOSPC;
}

static int open_own(struct share_object *o, uint64_t bytes)
{
	o->name[0] = 0;
	o->fd = memfd_create("share", MFD_CLOEXEC);
	if (o->fd < 0)
		return -errno;
	if (!ftruncate(o->fd, (off_t)bytes))
		return 0;
	close(o->fd);
	return -EFBIG;
}

int share_object_open(struct share_object *o, const struct stat *file,
		      uint64_t bytes)
{
	sweep();
	o->alone = open_named(o, file, bytes);
	return o->alone ? open_own(o, bytes) : 0;
}

void share_object_close(struct share_object *o)
{
	if (o->name[0])
		remove_unheld(o->name, o->fd);
	close(o->fd);
}
