/* SPDX-License-Identifier: MIT */
#include "guest/fs/calls.h"

#include "guest/fs/ext2.h"
#include "guest/fs/path.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"
#include "guest/proc/syscall.h"

void files_init(struct file **files)
{
	struct file *console = file_new(&console_ops, OPEN_READ | OPEN_WRITE);

	if (!console)
		panic("no memory for the console");
	files[0] = files[1] = files[2] = console;
	console->count = 3;
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
		file_put(f);
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
	file_put(f);
	return -EMFILE;
}

/* A string of the program, in path[PATH_BYTES]. */
static int take_path(char *path, uintptr_t from)
{
	int64_t n = user_string(current()->space, path, from, PATH_BYTES);

	return n ? (int)(n < 0 ? n : 0) : -ENOENT;
}

int64_t sys_open(const struct trap_frame *f)
{
	char path[PATH_BYTES];
	struct file *file;
	int error = take_path(path, f->rdi);

	if (!error)
		error = file_open(path, (unsigned)f->rsi, &file);
	return error ? error : install(file);
}

int64_t sys_close(const struct trap_frame *f)
{
	if (!files_at(f->rdi))
		return -EBADF;
	close(&current()->files[f->rdi]);
	return 0;
}

int64_t sys_read(const struct trap_frame *f)
{
	return file_read(files_at(f->rdi), current()->space, f->rsi, f->rdx);
}

int64_t sys_write(const struct trap_frame *f)
{
	return file_write(files_at(f->rdi), current()->space, f->rsi, f->rdx);
}

int64_t sys_seek(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);
	uint64_t from = 0, to;

	if (!file)
		return -EBADF;
	if (!file->inode)
		return -ESPIPE;
	if (f->rdx == SEEK_HERE)
		from = file->offset;
	else if (f->rdx == SEEK_END)
		from = file->inode->bytes;
	else if (f->rdx != SEEK_START)
		return -EINVAL;
	to = from + f->rsi;
	if ((int64_t)to < 0)
		return -EINVAL;
	file->offset = to;
	return (int64_t)to;
}

int64_t sys_stat(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);
	struct sys_stat stat = { 0 };

	if (!file)
		return -EBADF;
	stat.kind = file->ops->kind;
	if (file->inode) {
		stat.inode = file->inode->number;
		stat.bytes = file->inode->bytes;
		stat.blocks = file->inode->disk->sectors;
		stat.links = file->inode->disk->links;
	}
	return user_write(current()->space, f->rsi, &stat, sizeof(stat));
}

int64_t sys_readdir(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);
	struct sys_dirent entry = { 0 };
	int more;

	if (!file)
		return -EBADF;
	if (file->ops->kind != FILE_DIRECTORY)
		return -ENOTDIR;
	more = dir_next(file->inode, &file->offset, &entry);
	if (more > 0 &&
	    user_write(current()->space, f->rsi, &entry, sizeof(entry)))
		return -EFAULT;
	return more;
}

int64_t sys_truncate(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);

	if (!file || !(file->flags & OPEN_WRITE))
		return -EBADF;
	return file->inode ? inode_resize(file->inode, f->rsi) : -EINVAL;
}

/* Do @what to the program's path; what comes of it is not wanted. */
static int64_t change(dir_fn *what, uintptr_t from)
{
	char path[PATH_BYTES];
	struct inode *i = NULL;
	int error = take_path(path, from);

	if (!error)
		error = path_do(what, root_fs, path, &i);
	if (!error && i)
		inode_put(i);
	return error;
}

int64_t sys_unlink(const struct trap_frame *f)
{
	return change(dir_unlink, f->rdi);
}

int64_t sys_mkdir(const struct trap_frame *f)
{
	return change(dir_mkdir, f->rdi);
}

int64_t sys_pipe(const struct trap_frame *f)
{
	struct file *end[2];
	int64_t out, in;
	int fd[2];
	int error = pipe_new(end);

	if (error)
		return error;
	out = install(end[0]);
	in = install(end[1]);
	fd[0] = (int)out;
	fd[1] = (int)in;
	if (out >= 0 && in >= 0 &&
	    !user_write(current()->space, f->rdi, fd, sizeof(fd)))
		return 0;
	if (out >= 0)
		close(&current()->files[out]);
	if (in < 0)
		return in;
	close(&current()->files[in]);
	return -EFAULT;
}

int64_t sys_dup(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);
	bool any = (int64_t)f->rsi == -1;

	if (!file || (f->rsi >= PROCESS_FILES && !any))
		return -EBADF;
	file->count++;
	if (any)
		return install(file);
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
