/* SPDX-License-Identifier: MIT */
#include "guest/fs/path.h"

#include "guest/fs/ext2.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"

/* Cut the next name off *path, at the end "". 0 or -ENAMETOOLONG. */
static int next_name(const char **path, char name[NAME_BYTES])
{
	const char *at = *path;
	size_t n = 0;

	while (*at == '/')
		at++;
	while (at[n] && at[n] != '/') {
		if (n == NAME_BYTES - 1)
			return -ENAMETOOLONG;
		name[n] = at[n];
		n++;
	}
	name[n] = '\0';
	*path = at + n;
	return 0;
}

/* The root is what it calls "." itself. */
int path_do(dir_fn *what, struct ext2 *fs, const char *path, struct inode **to)
{
	char name[NAME_BYTES] = ".", next[NAME_BYTES];
	struct inode *at, *below;
	int error;

	fs_lock();
	error = inode_load(fs, EXT2_ROOT, &at);
	if (error)
		goto unlock;
	while (!(error = next_name(&path, next)) && *next) {
		error = dir_find(at, name, &below);
		if (error)
			break;
		inode_put(at);
		at = below;
		memcpy(name, next, sizeof(next));
	}
	if (!error)
		error = what(at, name, to);
	inode_put(at);

unlock:
	fs_unlock();
	return error;
}
