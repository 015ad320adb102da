/* SPDX-License-Identifier: MIT */
#include "guest/fs/path.h"

#include "guest/lib/errno.h"
#include "guest/lib/string.h"

/* Cut the next name off *path. 1, 0 at the end, or -ENAMETOOLONG. */
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
	return n != 0;
}

/* From *at to what it calls @name; *at's reference moves along. */
static int step(struct inode **at, const char *name)
{
	struct inode *dir = *at;
	int error = -ENOTDIR;

	if (dir->kind == FILE_DIRECTORY)
		error = dir->ops->lookup(dir, name, at);
	inode_put(dir);
	return error;
}

int path_parent(struct file_system *fs, const char *path, struct inode **dir,
		char name[NAME_BYTES])
{
	char next[NAME_BYTES];
	int more = next_name(&path, name);
	int error;

	if (more <= 0)
		return more ? more : -EEXIST;
	*dir = fs->root;
	inode_get(*dir);
	while ((more = next_name(&path, next)) > 0) {
		error = step(dir, name);
		if (error)
			return error;
		memcpy(name, next, sizeof(next));
	}
	if (!more && (*dir)->kind != FILE_DIRECTORY)
		more = -ENOTDIR;
	if (more)
		inode_put(*dir);
	return more;
}

int path_find(struct file_system *fs, const char *path, struct inode **to)
{
	char name[NAME_BYTES];
	int error = path_parent(fs, path, to, name);

	if (!error)
		return step(to, name);
	if (error != -EEXIST)
		return error;
	*to = fs->root;
	inode_get(*to);
	return 0;
}
