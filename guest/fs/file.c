/* SPDX-License-Identifier: MIT */
#include "guest/fs/file.h"

#include "guest/fs/ext2.h"
#include "guest/fs/path.h"
#include "guest/lib/errno.h"
#include "guest/mm/slab.h"

static int64_t advance(struct file *f, int64_t done)
{
	if (done > 0)
		f->offset += (uint64_t)done;
	return done;
}

static int64_t read(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	return advance(f, inode_read(f->inode, f->offset, s, user, n));
}

static int64_t write(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	return advance(f, inode_write(f->inode, f->offset, s, user, n));
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

static int prepare(struct inode *i, unsigned flags)
{
	if (!(flags & OPEN_WRITE))
		return 0;
	if (inode_is_directory(i))
		return -EISDIR;
	if (i->fs->readonly)
		return -EROFS;
	return flags & OPEN_TRUNCATE ? inode_resize(i, 0) : 0;
}

int file_open(const char *path, unsigned flags, struct file **to)
{
	struct file *f = NULL;
	struct inode *i;
	int error = path_do(flags & OPEN_CREATE ? dir_open : dir_find, root_fs,
			    path, &i);

	if (error)
		return error;
	error = prepare(i, flags);
	if (!error)
		f = file_new(inode_is_directory(i) ? &directory_ops
						   : &regular_ops,
			     flags);
	if (!f) {
		inode_put(i);
		return error ? error : -ENOMEM;
	}
	f->inode = i;
	*to = f;
	return 0;
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
	if (!f || !(f->flags & OPEN_READ))
		return -EBADF;
	if (!f->ops->read)
		return -EISDIR;
	return f->ops->read(f, s, user, n < FILE_PART ? n : FILE_PART);
}

int64_t file_write(struct file *f, struct space *s, uintptr_t user, size_t n)
{
	if (!f || !(f->flags & OPEN_WRITE))
		return -EBADF;
	return f->ops->write(f, s, user, n < FILE_PART ? n : FILE_PART);
}

struct mapping *file_mapping(struct file *f)
{
	return f->ops->kind == FILE_REGULAR ? &f->inode->pages : NULL;
}
