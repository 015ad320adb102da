/* SPDX-License-Identifier: MIT */
/*
 * Names: "/bin/hello" is looked up from the root, directory by directory. No
 * process has a directory of its own: a path without a leading slash means the
 * same as one with.
 */
#ifndef GUEST_FS_PATH_H
#define GUEST_FS_PATH_H

#include "guest/fs/inode.h"

#define PATH_BYTES 1024

/*
 * What can be done to a name, shorter than NAME_BYTES, in a directory (dir.c);
 * what comes of it is in *to, with a reference. With fs_lock. 0 or -errno.
 */
typedef int dir_fn(struct inode *dir, const char *name, struct inode **to);

dir_fn dir_find;
dir_fn dir_open; /* a file; if there is nothing it is made */
dir_fn dir_mkdir; /* -EEXIST if there is something */
dir_fn dir_unlink; /* nothing is in *to; a directory only if empty */

/* Do that to the last name of @path, in @fs. May sleep. */
int path_do(dir_fn *what, struct ext2 *fs, const char *path, struct inode **to);

/* The entry of @dir at *at, which moves on: 1, at the end 0. May sleep. */
int dir_next(struct inode *dir, uint64_t *at, struct sys_dirent *to);

#endif
