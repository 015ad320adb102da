/* SPDX-License-Identifier: MIT */
#include "guest/fs/file.h"

#include "guest/fs/ext2.h"
#include "guest/fs/path.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/slab.h"
#include "guest/mm/space.h"

static int64_t copy(struct file *f, struct space *s, uintptr_t user, size_t n,
		    bool write)
{
	int64_t done = inode_copy(f->inode, f->offset, s, user, n, write);

	if (done > 0)
		f->offset += (uint64_t)done;
	return done;
}

static void close(struct file *f)
{
	inode_put(f->inode);
}

static const struct file_ops regular_ops = {
	.copy = copy,
	.close = close,
};

/* One entry at a time. */
static int64_t list(struct file *f, struct space *s, uintptr_t user, size_t n,
		    bool write)
{
	struct sys_dirent entry = { 0 };
	int more;

	(void)write; /* never: it is not opened for that */
	if (n < sizeof(entry))
		return -EISDIR;
	more = dir_next(f->inode, &f->offset, &entry);
	if (more > 0 && user_write(s, user, &entry, sizeof(entry)))
		return -EFAULT;
	return more > 0 ? (int64_t)sizeof(entry) : more;
}

static const struct file_ops directory_ops = {
	.copy = list,
	.close = close,
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
	return flags & OPEN_TRUNCATE ? inode_empty(i) : 0;
}

int file_open(const char *path, unsigned flags, struct file **to)
{
	dir_fn *what = dir_find;
	struct file *f = NULL;
	struct inode *i;
	int error;

	if (streq(path, "/dev/random")) {
		*to = file_new(&random_ops, OPEN_READ);
		return *to ? 0 : -ENOMEM;
	}
	if (flags & OPEN_MKDIR)
		what = dir_mkdir;
	else if (flags & OPEN_CREATE)
		what = dir_open;
	error = path_do(what, root_fs, path, &i);
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

int64_t file_copy(struct file *f, struct space *s, uintptr_t user, size_t n,
		  bool write)
{
	if (!f || !(f->flags & (write ? OPEN_WRITE : OPEN_READ)))
		return -EBADF;
	return f->ops->copy(f, s, user, n < FILE_PART ? n : FILE_PART, write);
}

struct mapping *file_mapping(struct file *f)
{
	return f->ops == &regular_ops ? &f->inode->pages : NULL;
}
