/* SPDX-License-Identifier: MIT */
#include "guest/fs/calls.h"

#include "guest/fs/ext2.h"
#include "guest/fs/path.h"
#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/mm/space.h"
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
	return file_copy(files_at(f->rdi), current()->space, f->rsi, f->rdx,
			 false);
}

int64_t sys_write(const struct trap_frame *f)
{
	return file_copy(files_at(f->rdi), current()->space, f->rsi, f->rdx,
			 true);
}

int64_t sys_seek(const struct trap_frame *f)
{
	struct file *file = files_at(f->rdi);
	uint64_t to = f->rsi;

	if (!file)
		return -EBADF;
	if (!file->inode)
		return -ESPIPE;
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
	if (in >= 0)
		return in << 32 | out;
	if (out >= 0)
		close(&current()->files[out]);
	return in;
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
