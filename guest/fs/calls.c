/* SPDX-License-Identifier: MIT */
#include "guest/fs/calls.h"

#include "guest/proc/syscall.h"
#include "guest/fs/path.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/user.h"
#include "guest/proc/process.h"

void files_init(struct file **files)
{
	struct file *console = file_console();

	if (!console)
		panic("no memory for the console");
	for (unsigned i = 0; i < 3; i++) {
		file_get(console);
		files[i] = console;
	}
	file_put(console);
}

void files_copy(struct file **to, struct file *const *from)
{
	for (unsigned i = 0; i < PROCESS_FILES; i++) {
		to[i] = from[i];
		if (to[i])
			file_get(to[i]);
	}
}

void files_close(struct file **files)
{
	for (unsigned i = 0; i < PROCESS_FILES; i++) {
		struct file *f = files[i];

		files[i] = NULL;
		if (f)
			file_put(f);
	}
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

	if (error)
		return error;
	file = file_open(path, (unsigned)f->rsi, &error);
	return file ? install(file) : error;
}

int64_t sys_close(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);

	if (!file)
		return -EBADF;
	current()->files[f->rdi] = NULL;
	file_put(file);
	return 0;
}

int64_t sys_read(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);

	return file ? file_read(file, current()->space, f->rsi, f->rdx)
		    : -EBADF;
}

int64_t sys_write(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);

	return file ? file_write(file, current()->space, f->rsi, f->rdx)
		    : -EBADF;
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
		stat.blocks = file->inode->blocks;
		stat.links = file->inode->links;
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
	more = file->inode->ops->readdir(file->inode, &file->offset, &entry);
	if (more <= 0)
		return more;
	return user_write(current()->space, f->rsi, &entry, sizeof(entry))
		       ? -EFAULT
		       : 1;
}

int64_t sys_truncate(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);

	if (!file || !(file->flags & OPEN_WRITE))
		return -EBADF;
	if (!file->inode)
		return -EINVAL;
	return file->inode->ops->resize(file->inode, f->rsi);
}

int64_t sys_unlink(const struct trap_frame *f)
{
	char path[PATH_BYTES], name[NAME_BYTES];
	struct inode *dir;
	int error = take_path(path, f->rdi);

	if (!error)
		error = path_parent(root_fs, path, &dir, name);
	if (error)
		return error == -EEXIST ? -EBUSY : error;
	error = dir->ops->unlink ? dir->ops->unlink(dir, name) : -EROFS;
	inode_put(dir);
	return error;
}

int64_t sys_mkdir(const struct trap_frame *f)
{
	char path[PATH_BYTES], name[NAME_BYTES];
	struct inode *dir, *made;
	int error = take_path(path, f->rdi);

	if (!error)
		error = path_parent(root_fs, path, &dir, name);
	if (error)
		return error;
	error = dir->ops->create
			? dir->ops->create(dir, name, FILE_DIRECTORY, &made)
			: -EROFS;
	inode_put(dir);
	if (!error)
		inode_put(made);
	return error;
}

int64_t sys_pipe(const struct trap_frame *f)
{
	struct file *end[2];
	int64_t in, out;
	int fd[2];
	int error = pipe_new(end);

	if (error)
		return error;
	out = install(end[0]);
	in = install(end[1]);
	fd[0] = (int)out;
	fd[1] = (int)in;
	error = out < 0 || in < 0
			? -EMFILE
			: user_write(current()->space, f->rdi, fd, sizeof(fd));
	if (!error)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		if (fd[i] < 0)
			continue;
		current()->files[fd[i]] = NULL;
		file_put(end[i]);
	}
	return error;
}

int64_t sys_dup(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi), *old;

	if (!file || (f->rsi >= PROCESS_FILES && (int64_t)f->rsi != -1))
		return -EBADF;
	file_get(file);
	if ((int64_t)f->rsi == -1)
		return install(file);
	old = current()->files[f->rsi];
	current()->files[f->rsi] = file;
	if (old)
		file_put(old);
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
	inode_drop_all();
	return (int64_t)dropped;
}
