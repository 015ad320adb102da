/* SPDX-License-Identifier: MIT */
#include "guest/user/lib/sys.h"

#include "guest/fs/ext2_disk.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/user/lib/text.h"

/* Words that are no pointers: to pass them on as they are. */
#define P(pointer) ((uintptr_t)(pointer))

void sys_exit(int status)
{
	for (;;)
		sys_call(SYS_EXIT, (uint64_t)status, 0, 0);
}

int64_t sys_fork(void)
{
	return sys_call(SYS_FORK, 0, 0, 0);
}

int64_t sys_exec(const char *path, char *const *argv)
{
	size_t bytes = 0;
	char *text, *to;

	for (int i = 0; argv[i]; i++)
		bytes += strlen(argv[i]) + 1;
	to = text = __builtin_alloca(bytes);
	for (int i = 0; argv[i]; i++)
		to += strlcpy(to, argv[i], bytes) + 1;
	return sys_call(SYS_EXEC, P(path), P(text), bytes);
}

int64_t sys_wait(int64_t pid, int *status)
{
	return sys_call(SYS_WAIT, (uint64_t)pid, P(status), 0);
}

int64_t sys_kill(int64_t pid, int signal)
{
	return sys_call(SYS_KILL, (uint64_t)pid, (uint64_t)signal, 0);
}

int64_t sys_getpid(void)
{
	return sys_call(SYS_GETPID, 0, 0, 0);
}

int64_t sys_sleep(uint64_t ticks)
{
	return sys_call(SYS_SLEEP, ticks, 0, 0);
}

int64_t sys_ticks(void)
{
	return sys_call(SYS_TICKS, 0, 0, 0);
}

int64_t sys_set_bases(uint64_t fs, uint64_t gs)
{
	return sys_call(SYS_SET_BASES, fs, gs, 0);
}

int64_t sys_cpu(int64_t cpu)
{
	return sys_call(SYS_CPU, (uint64_t)cpu, 0, 0);
}

int64_t sys_mmap(uint64_t at, size_t bytes, unsigned prot, unsigned flags)
{
	return sys_call6(SYS_MMAP, at, bytes, prot, flags, 0, 0);
}

int64_t sys_mmap_file(int fd, uint64_t offset, size_t bytes, unsigned prot,
		      unsigned flags)
{
	return sys_call6(SYS_MMAP, 0, bytes, prot, flags | MAP_FILE,
			 (uint64_t)fd, offset);
}

int64_t sys_munmap(uint64_t at, size_t bytes)
{
	return sys_call(SYS_MUNMAP, at, bytes, 0);
}

int64_t sys_mprotect(uint64_t at, size_t bytes, unsigned prot)
{
	return sys_call(SYS_MPROTECT, at, bytes, prot);
}

int64_t sys_sbrk(size_t bytes)
{
	return sys_call(SYS_SBRK, bytes, 0, 0);
}

int64_t sys_mlock(uint64_t at, size_t bytes)
{
	return sys_madvise(at, bytes, MADVISE_LOCK);
}

int64_t sys_munlock(uint64_t at, size_t bytes)
{
	return sys_madvise(at, bytes, MADVISE_UNLOCK);
}

int64_t sys_msync(uint64_t at, size_t bytes)
{
	return sys_madvise(at, bytes, MADVISE_SYNC);
}

int64_t sys_madvise(uint64_t at, size_t bytes, unsigned advice)
{
	return sys_call(SYS_MADVISE, at, bytes, advice);
}

int64_t sys_open(const char *path, unsigned flags)
{
	return sys_call(SYS_OPEN, P(path), flags, 0);
}

int64_t sys_close(int fd)
{
	return sys_call(SYS_CLOSE, (uint64_t)fd, 0, 0);
}

int64_t sys_read(int fd, void *to, size_t n)
{
	return sys_call(SYS_READ, (uint64_t)fd, P(to), n);
}

int64_t sys_write(int fd, const void *from, size_t n)
{
	return sys_call(SYS_WRITE, (uint64_t)fd, P(from), n);
}

int64_t sys_seek(int fd, int64_t offset, unsigned from)
{
	return sys_call(SYS_SEEK, (uint64_t)fd, (uint64_t)offset, from);
}

/* What the next entry says, and then its name and what it has too much. */
static int64_t read_entry(int fd, struct ext2_entry *e)
{
	int64_t n = sys_read(fd, e, sizeof(*e));

	if (n != sizeof(*e) || e->bytes < sizeof(*e) || e->bytes > PAGE_SIZE)
		return n > 0 ? -EIO : n;
	return sys_read(fd, e->name, e->bytes - sizeof(*e));
}

int64_t sys_readdir(int fd, struct dir_entry *to)
{
	static union {
		struct ext2_entry entry;
		char block[PAGE_SIZE];
	} room;
	const struct ext2_entry *e = &room.entry;
	int64_t n;

	do {
		n = read_entry(fd, &room.entry);
		if (n <= 0)
			return n;
	} while (!e->inode);
	to->inode = e->inode;
	to->is_directory = e->type == FILE_DIRECTORY;
	memcpy(to->name, e->name, e->name_bytes);
	to->name[e->name_bytes] = '\0';
	return 1;
}

int64_t sys_unlink(const char *path)
{
	return sys_call(SYS_UNLINK, P(path), 0, 0);
}

int64_t sys_mkdir(const char *path)
{
	int64_t fd = sys_open(path, OPEN_MKDIR);

	return fd < 0 ? fd : sys_close((int)fd);
}

int64_t sys_pipe(int fd[2])
{
	int64_t ends = sys_call(SYS_PIPE, 0, 0, 0);

	if (ends < 0)
		return ends;
	fd[0] = (int)(ends & INT32_MAX);
	fd[1] = (int)(ends >> 32);
	return 0;
}

int64_t sys_dup(int fd, int to)
{
	return sys_call(SYS_DUP, (uint64_t)fd, (uint64_t)to, 0);
}

int64_t sys_sync(void)
{
	return sys_call(SYS_SYNC, 0, 0, 0);
}
