/* SPDX-License-Identifier: MIT */
/* Open files, and the system calls that take a descriptor or a path. */
#include "guest/fs/file.h"

#include "guest/fs/ext2.h"
#include "guest/lib/base.h"
#include "guest/mm/slab.h"
#include "guest/proc/process.h"
#include "guest/proc/syscall.h"

/* Of a file or a directory, through the page cache. */
static int64_t copy_bytes(struct file *f, uintptr_t user, size_t n, bool write)
{
	int64_t done = inode_copy(f->inode, f->offset, current()->space, user,
				  n, write);

	if (done > 0)
		f->offset += (uint64_t)done;
	return done;
}

struct file *file_new(copy_fn *copy, unsigned flags)
{
	struct file *f = kzalloc(sizeof(*f));

	if (!f)
		return NULL;
	f->copy = copy;
	f->flags = flags;
	f->count = 1;
	return f;
}

static void put(struct file *f)
{
	if (--f->count)
		return;
	if (f->inode)
		inode_put(f->inode);
	if (f->pipe)
		pipe_close(f);
	kfree(f);
}

void files_init(struct file **files)
{
	struct file *f = file_new(console_copy, OPEN_READ | OPEN_WRITE);

	if (!f)
		panic("no memory for the console");
	files[0] = files[1] = files[2] = f;
	f->count = 3;
}

void files_copy(struct file **to, struct file *const *from)
{
	for (unsigned i = 0; i < PROCESS_FILES; i++) {
		to[i] = from[i];
		if (to[i])
			to[i]->count++;
	}
}

/* @at is empty from now on. */
static void close(struct file **at)
{
	struct file *f = *at;

	*at = NULL;
	if (f)
		put(f);
}

void files_close(struct file **files)
{
	for (unsigned i = 0; i < PROCESS_FILES; i++)
		close(&files[i]);
}

struct file *files_at(uint64_t fd)
{
	return fd < PROCESS_FILES ? current()->files[fd] : NULL;
}

/* @f's reference goes to the table, or is given back. */
static int64_t install(struct file *f)
{
	for (unsigned i = 0; i < PROCESS_FILES; i++) {
		if (current()->files[i])
			continue;
		current()->files[i] = f;
		return i;
	}
	put(f);
	return -EMFILE;
}

/* A string of the program, in path[PATH_BYTES]. */
static int take_path(char *path, uintptr_t from)
{
	int64_t n = user_string(current()->space, path, from, PATH_BYTES);

	return n ? (int)(n < 0 ? n : 0) : -ENOENT;
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

static int64_t open_file(const char *path, unsigned flags)
{
	dir_fn *what = dir_find;
	struct file *f = NULL;
	struct inode *i;
	int error;

	if (flags & OPEN_MKDIR)
		what = dir_mkdir;
	else if (flags & OPEN_CREATE)
		what = dir_open;
	error = path_do(what, root_fs, path, &i);
	if (error)
		return error;
	error = prepare(i, flags);
	if (!error)
		f = file_new(copy_bytes, flags);
	if (!f) {
		inode_put(i);
		return error ? error : -ENOMEM;
	}
	f->inode = i;
	return install(f);
}

int64_t sys_open(const struct trap_frame *f)
{
	char path[PATH_BYTES];
	struct file *random;
	int error = take_path(path, f->rdi);

	if (error)
		return error;
	if (!streq(path, "/dev/random"))
		return open_file(path, (unsigned)f->rsi);
	random = file_new(random_copy, OPEN_READ);
	return random ? install(random) : -ENOMEM;
}

int64_t sys_close(const struct trap_frame *f)
{
	if (!files_at(f->rdi))
		return -EBADF;
	close(&current()->files[f->rdi]);
	return 0;
}

/* So much at once, so that the kernel lock is free again soon. */
#define MOST (64 * PAGE_SIZE)

/* SYS_READ and SYS_WRITE. */
int64_t sys_copy(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);
	bool write = f->rax == SYS_WRITE;

	if (!file || !(file->flags & (write ? OPEN_WRITE : OPEN_READ)))
		return -EBADF;
	return file->copy(file, f->rsi, f->rdx < MOST ? f->rdx : MOST, write);
}

int64_t sys_seek(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);
	uint64_t to = f->rsi;

	if (!file || !file->inode)
		return -EBADF;
	if (f->rdx == SEEK_END)
		to += file->inode->bytes;
	if (f->rdx > SEEK_END || (int64_t)to < 0)
		return -EINVAL;
	file->offset = to;
	return (int64_t)to;
}

int64_t sys_unlink(const struct trap_frame *f)
{
	char path[PATH_BYTES];
	int error = take_path(path, f->rdi);

	return error ? error : path_do(dir_unlink, root_fs, path, NULL);
}

int64_t sys_pipe(const struct trap_frame *f)
{
	struct file *end[2];
	int64_t out, in;
	int error = pipe_new(end);

	(void)f;
	if (error)
		return error;
	out = install(end[0]);
	in = install(end[1]);
	if (in < 0 && out >= 0)
		close(&current()->files[out]);
	return in < 0 ? in : in << 32 | out;
}

int64_t sys_dup(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);

	if (!file || f->rsi >= PROCESS_FILES)
		return -EBADF;
	file->count++;
	close(&current()->files[f->rsi]);
	current()->files[f->rsi] = file;
	return (int64_t)f->rsi;
}

int64_t sys_sync(const struct trap_frame *f)
{
	(void)f;
	return inode_sync_all(false);
}

int64_t sys_drop_caches(const struct trap_frame *f)
{
	uint64_t dropped = mapping_drop_all();

	(void)f;
	inode_drop_all(); /* each holds a page of its disk */
	return (int64_t)(dropped + mapping_drop_all());
}
