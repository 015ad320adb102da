/* SPDX-License-Identifier: MIT */
/*
 * A disk in a file that mke2fs has made, for the guest's file systems on the
 * host; and the parts of the kernel that they need: nobody else runs here, so
 * nothing may ever sleep, and a program's memory is ours.
 */
#ifndef TESTS_GUEST_DISK_H
#define TESTS_GUEST_DISK_H

/* Before the C library's: some names in here are macros there. */
#include "guest/fs/block.h"
#include "guest/fs/ext2.h"
#include "guest/fs/file.h"
#include "guest/mm/leaf.h"
#include "guest/mm/slab.h"
#include "guest/mm/space.h"
#include "guest/proc/sched.h"

#include "tests/unit/guest_fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUR_EIO = 5, OUR_EAGAIN = 11 };

static bool print_quiet;

void print(const char *how, ...)
{
	va_list args;

	va_start(args, how);
	if (!print_quiet)
		vprintf(how, args);
	va_end(args);
}

void sleep_on(const void *channel)
{
	(void)channel;
	panic("slept");
}

void wake(const void *channel)
{
	(void)channel;
}

/* A pointer of 1 is a bad one, 2 becomes one. */
int user_write(struct space *s, uintptr_t to, const void *from, size_t n)
{
	(void)s;
	if (to == 1)
		return -14;
	memcpy((void *)to, from, n);
	return 0;
}

void *user_byte(struct space *s, uintptr_t va, bool write)
{
	(void)s;
	(void)write;
	return va == 1 ? NULL : (void *)va;
}

int user_read(struct space *s, void *to, uintptr_t from, size_t n)
{
	(void)s;
	if (from <= 2)
		return -14;
	memcpy(to, (const void *)from, n);
	return 0;
}

void rmap_unmap(struct frame *f)
{
	f->maps = 0;
}

static unsigned protected;

bool rmap_take(struct frame *f, uint64_t bit)
{
	assert_int_equal(bit, PTE_W);
	protected += f->maps > 0;
	return false;
}

/* The disk: a file, of which transfer number fail_at fails. */
static char disk_folder[64], disk_path[96];
static int disk_fd;
static uint64_t transfers, fail_at;

static int disk_transfer(struct block_device *d, uint64_t block,
			 struct frame *f, bool write)
{
	void *at = direct(frame_pa(f));
	off_t from = (off_t)(block << PAGE_SHIFT);
	ssize_t n;

	(void)d;
	if (++transfers == fail_at)
		return -OUR_EIO;
	n = write ? pwrite(disk_fd, at, PAGE_SIZE, from)
		  : pread(disk_fd, at, PAGE_SIZE, from);
	return n == (ssize_t)PAGE_SIZE ? 0 : -OUR_EIO;
}

static const struct block_ops disk_ops = { .transfer = disk_transfer };
static struct block_device disk;

__attribute__((format(printf, 1, 2))) static inline int run(const char *how,
							    ...)
{
	char line[512];
	va_list args;
	int status;

	va_start(args, how);
	vsnprintf(line, sizeof(line), how, args);
	va_end(args);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A disk of @mib with what is in @folder, made with these @options. */
static inline void disk_make(unsigned mib, const char *options,
			     const char *folder)
{
	setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
	if (!*disk_folder) {
		strcpy(disk_folder, "/tmp/guest-disk-XXXXXX");
		assert_non_null(mkdtemp(disk_folder));
		snprintf(disk_path, sizeof(disk_path), "%s/disk", disk_folder);
	}
	run("rm -rf %s/*", disk_folder);
	assert_int_equal(run("mke2fs -q -F -t ext2 -b 4096 %s %s%s %s %uM "
			     ">/dev/null 2>&1",
			     options, *folder ? "-d " : "", folder, disk_path,
			     mib),
			 0);
	disk_fd = open(disk_path, O_RDWR);
	assert_true(disk_fd >= 0);
	if (!disk.ops) {
		disk.ops = &disk_ops;
		block_init(&disk);
	}
	disk.blocks = (uint64_t)mib << 8;
	fail_at = 0;
}

static inline int mount(void)
{
	return ext2_mount(&disk, &root_fs);
}

/* Write everything and leave nothing in memory. */
static inline void unmount(void)
{
	fail_at = 0;
	assert_int_equal(inode_sync_all(true), 0);
	for (unsigned i = 0; root_fs->held[i]; i++)
		frame_put(root_fs->held[i]);
	mapping_drop_all();
	inode_drop_all();
	mapping_drop_all();
	assert_int_equal(disk.cache.frames, 0);
	kfree(root_fs);
	root_fs = NULL;
}

static inline void disk_end(void)
{
	close(disk_fd);
	run("rm -rf %s", disk_folder);
	*disk_folder = '\0';
}

/* What e2fsck says, changing nothing: 0, it is in order. */
static inline int disk_check(void)
{
	return run("e2fsck -fn %s > %s/log 2>&1 || { cat %s/log; false; }",
		   disk_path, disk_folder, disk_folder);
}

#endif
