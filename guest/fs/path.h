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

/* What @path names in @fs, with a reference. May sleep. 0 or -errno. */
int path_find(struct file_system *fs, const char *path, struct inode **to);

/*
 * The directory that the last name of @path is in, with a reference, and that
 * name in @name. May sleep. 0 or -errno; -EEXIST if @path names the root.
 */
int path_parent(struct file_system *fs, const char *path, struct inode **dir,
		char name[NAME_BYTES]);

#endif
