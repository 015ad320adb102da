/* SPDX-License-Identifier: MIT */
/*
 * Open files: what a file descriptor stands for. An inode opened twice is two
 * files with offsets of their own; a descriptor copied (dup, fork) is one file
 * with one offset.
 */
#ifndef GUEST_FS_FILE_H
#define GUEST_FS_FILE_H

#include "guest/fs/inode.h"

struct file;
struct pipe;

struct file_ops {
	/* @n bytes at @user of @s are written, else read into; how many were,
	 * or -errno. May sleep */
	int64_t (*copy)(struct file *f, struct space *s, uintptr_t user,
			size_t n, bool write);
	/* nobody holds it any more; NULL: nothing to do */
	void (*close)(struct file *f);
};

struct file {
	const struct file_ops *ops;
	struct inode *inode; /* of a file in a file system, else NULL */
	struct pipe *pipe;
	uint64_t offset;
	unsigned flags; /* OPEN_* */
	uint32_t count;
};

/* The file at @path with a reference, in *to. May sleep. 0 or -errno. */
int file_open(const char *path, unsigned flags, struct file **to);

/* One with these ops, or NULL: no memory. */
struct file *file_new(const struct file_ops *ops, unsigned flags);

extern const struct file_ops console_ops, random_ops;

void file_put(struct file *f); /* may sleep */

/*
 * At most FILE_PART bytes, so that the kernel lock is free again soon. -EBADF
 * where it was not opened for that, or is NULL. May sleep.
 */
#define FILE_PART (64 * PAGE_SIZE)
int64_t file_copy(struct file *f, struct space *s, uintptr_t user, size_t n,
		  bool write);

/* Its pages, or NULL where it has none. */
struct mapping *file_mapping(struct file *f);

/* Two ends of a pipe, [0] to read. 0 or -ENOMEM. */
int pipe_new(struct file *end[2]);

#endif
