/* SPDX-License-Identifier: MIT */
#include "guest/fs/file.h"

#include "guest/fs/path.h"
#include "guest/lib/errno.h"
#include "guest/mm/slab.h"

static int64_t read(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	int64_t done = inode_read(f->inode, f->offset, s, user, n);

	if (done > 0)
		f->offset += (uint64_t)done;
	return done;
}

static int64_t write(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	int64_t done = inode_write(f->inode, f->offset, s, user, n);

	if (done > 0)
		f->offset += (uint64_t)done;
	return done;
}

static void close(struct file *f)
{
	inode_put(f->inode);
}

static const struct file_ops regular_ops = {
	.read = read,
	.write = write,
	.close = close,
	.kind = FILE_REGULAR,
};

/* Neither read nor written: it is listed. */
static const struct file_ops directory_ops = {
	.close = close,
	.kind = FILE_DIRECTORY,
};

struct file *file_new(const struct file_ops *ops, unsigned flags)
{
	struct file *f = kzalloc(sizeof(*f));

	if (!f)
		return NULL;
	f->ops = ops;
	f->flags = flags;
	f->count = 1;
	return f;
}

/* Somebody else may make it just before us: then it is that one. */
static int find_or_create(const char *path, struct inode **to)
{
	char name[NAME_BYTES];
	struct inode *dir;
	int error = path_find(root_fs, path, to);

	if (error != -ENOENT)
		return error;
	error = path_parent(root_fs, path, &dir, name);
	if (error)
		return error;
	error = dir->ops->create ? dir->ops->create(dir, name, FILE_REGULAR, to)
				 : -EROFS;
	inode_put(dir);
	return error == -EEXIST ? path_find(root_fs, path, to) : error;
}

static int prepare(struct inode *i, unsigned flags)
{
	if (!(flags & OPEN_WRITE))
		return 0;
	if (i->kind == FILE_DIRECTORY)
		return -EISDIR;
	if (!i->ops->resize)
		return -EROFS;
	return flags & OPEN_TRUNCATE ? i->ops->resize(i, 0) : 0;
}

struct file *file_open(const char *path, unsigned flags, int *error)
{
	struct file *f = NULL;
	struct inode *i;

	*error = flags & OPEN_CREATE ? find_or_create(path, &i)
				     : path_find(root_fs, path, &i);
	if (*error)
		return NULL;
	*error = prepare(i, flags);
	if (!*error) {
		f = file_new(i->kind == FILE_DIRECTORY ? &directory_ops
						       : &regular_ops,
			     flags);
		*error = f ? 0 : -ENOMEM;
	}
	if (f)
		f->inode = i;
	else
		inode_put(i);
	return f;
}

void file_get(struct file *f)
{
	f->count++;
}

void file_put(struct file *f)
{
	if (--f->count)
		return;
	if (f->ops->close)
		f->ops->close(f);
	kfree(f);
}

int64_t file_read(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	if (!(f->flags & OPEN_READ))
		return -EBADF;
	if (!f->ops->read)
		return -EISDIR;
	return f->ops->read(f, s, user, n < FILE_PART ? n : FILE_PART);
}

int64_t file_write(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	if (!(f->flags & OPEN_WRITE))
		return -EBADF;
	return f->ops->write(f, s, user, n < FILE_PART ? n : FILE_PART);
}

struct mapping *file_mapping(struct file *f)
{
	return f->inode && f->inode->kind == FILE_REGULAR ? &f->inode->pages
							  : NULL;
}
