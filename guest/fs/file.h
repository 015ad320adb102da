/* SPDX-License-Identifier: MIT */
/*
 * Open files: what a file descriptor stands for. An inode opened twice is two
 * files with offsets of their own; a descriptor copied (dup, fork) is one file
 * with one offset. Each process has a table of them.
 */
#pragma once

#include "guest/fs/inode.h"

struct file;
struct pipe;

/* The program's @n bytes at @user are written, else read into: how many were,
 * or -errno. May sleep. */
typedef int64_t copy_fn(struct file *f, uintptr_t user, size_t n, bool write);

struct file {
	copy_fn *copy;
	struct inode *inode; /* of a file in a file system, else NULL */
	struct pipe *pipe; /* or NULL */
	uint64_t offset;
	unsigned flags; /* OPEN_* */
	uint32_t count;
};

/* One with this function, or NULL: no memory. */
struct file *file_new(copy_fn *copy, unsigned flags);

/* console.c */
copy_fn console_copy, random_copy;

/* pipe.c: two ends, [0] to read: 0 or -ENOMEM; and what ends @f's. */
int pipe_new(struct file *end[2]);
void pipe_close(struct file *f);

/* Open the console as 0, 1 and 2, where nothing is. Panics without memory. */
void files_init(struct file **files);

/* The child of a fork has the same files; who ends has none. */
void files_copy(struct file **to, struct file *const *from);
void files_close(struct file **files); /* may sleep */

/* The calling process's @fd, without a reference, or NULL. */
struct file *files_at(uint64_t fd);
