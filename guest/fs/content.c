/* SPDX-License-Identifier: MIT */
/*
 * What is in a file: its pages, by way of the page cache, to and from the disk
 * on one side, and a program's memory on the other.
 */
#include "guest/fs/ext2.h"
#include "guest/lib/broken.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/user.h"

static int read_page(struct mapping *m, struct frame *f)
{
	struct inode *i = inode_of(m);
	uint32_t block;
	int error = ext2_map(i, f->index, false, &block);

	if (error)
		return error;
	if (block)
		return block_read(i->fs->disk, block, f);
	memset(ext2_bytes(f), 0, PAGE_SIZE);
	return 0;
}

/* Its place was reserved before it became dirty. */
static int write_page(struct mapping *m, struct frame *f)
{
	struct inode *i = inode_of(m);
	uint32_t block;
	int error = ext2_map(i, f->index, false, &block);

	if (error)
		return error;
	return block ? block_write(i->fs->disk, block, f) : -EIO;
}

/*
 * The page is in the cache before it has a block, and dirty from then on: it
 * must not be read from a block that has never been written. It can leave the
 * cache only by a truncation, which holds the lock.
 */
static int reserve(struct inode *i, struct frame *f)
{
	uint32_t block;
	int error = ext2_map(i, f->index, true, &block);

	if (!error)
		mapping_dirty(f);
	return error;
}

static int reserve_page(struct mapping *m, struct frame *f)
{
	struct inode *i = inode_of(m);
	int error;

	if (i->fs->readonly)
		return -EROFS;
	fs_lock();
	error = f->owner == m ? reserve(i, f) : -EAGAIN;
	fs_unlock();
	return error;
}

static void hold(struct mapping *m)
{
	inode_get(inode_of(m));
}

static void release(struct mapping *m)
{
	inode_put(inode_of(m));
}

const struct mapping_ops inode_pages = {
	.read = read_page,
	.write = write_page,
	.reserve = reserve_page,
	.hold = hold,
	.release = release,
};

void inode_end(struct inode *i, uint64_t bytes)
{
	struct ext2 *e = i->fs;

	i->bytes = bytes;
	i->pages.end = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
	i->disk->bytes = (uint32_t)bytes;
	if (!inode_is_directory(i))
		i->disk->bytes_high = (uint32_t)(bytes >> 32);
	inode_changed(i);
	if (bytes > INT32_MAX && !(e->super->read_only & EXT2_LARGE_FILE)) {
		e->super->read_only |= EXT2_LARGE_FILE;
		mapping_dirty(e->held[0]);
	}
}

int inode_page(struct inode *i, uint64_t end, struct frame **f)
{
	int error = mapping_get(&i->pages, (end - 1) >> PAGE_SHIFT, f);

	if (error)
		return error;
	error = reserve(i, *f);
	if (error)
		frame_put(*f);
	else if (end > i->bytes)
		inode_end(i, end);
	return error;
}

/* Zeros behind the new end: they would be seen if the file grew again. */
static int clear_tail(struct inode *i, uint64_t bytes)
{
	uint64_t index = bytes >> PAGE_SHIFT;
	size_t at = page_offset(bytes);
	struct frame *f;
	uint32_t block;
	int error = ext2_map(i, index, false, &block);

	if (error || !at || !block)
		return error;
	error = mapping_get(&i->pages, index, &f);
	if (error)
		return error;
	memset((char *)ext2_bytes(f) + at, 0, PAGE_SIZE - at);
	mapping_dirty(f);
	frame_put(f);
	return 0;
}

/*
 * Who maps the file may get pages again while their blocks are cut off: they
 * go, and what is being read or written has ended, before the lock does.
 */
static int shrink(struct inode *i, uint64_t bytes)
{
	int error = clear_tail(i, bytes);

	if (error)
		return error;
	inode_end(i, bytes);
	mapping_truncate(&i->pages, i->pages.end);
	error = ext2_map_cut(i, i->pages.end);
	mapping_truncate(&i->pages, i->pages.end);
	return error;
}

int inode_resize(struct inode *i, uint64_t bytes)
{
	int error = 0;

	if (bytes > EXT2_PAGES << PAGE_SHIFT)
		return -EFBIG;
	fs_lock();
	if (bytes < i->bytes)
		error = shrink(i, bytes);
	else
		inode_end(i, bytes);
	fs_unlock();
	return error;
}

static void *byte_at(struct frame *f, uint64_t offset)
{
	return (char *)ext2_bytes(f) + page_offset(offset);
}

static int read_part(struct inode *i, uint64_t offset, struct space *s,
		     uintptr_t user, size_t n)
{
	struct frame *f;
	uint64_t index = offset >> PAGE_SHIFT;
	int error;

	error = mapping_get(&i->pages, broken("mmap-read") ? 0 : index, &f);
	if (error)
		return error;
	error = user_write(s, user, byte_at(f, offset), n);
	frame_put(f);
	return error;
}

/*
 * The end moves as soon as there is a block, lest one lie behind it: if the
 * copy fails then, zeros are what was written. The page is dirty again after
 * the copy, which may have slept while the page was stored.
 */
static int write_part(struct inode *i, uint64_t offset, struct space *s,
		      uintptr_t user, size_t n)
{
	struct frame *f;
	int error;

	if (!user_byte(s, user, false))
		return -EFAULT; /* before there is a block for it */
	fs_lock();
	error = inode_page(i, offset + n, &f);
	fs_unlock();
	if (error)
		return error;
	error = user_read(s, byte_at(f, offset), user, n);
	mapping_dirty(f);
	frame_put(f);
	return error;
}

typedef int part_fn(struct inode *i, uint64_t offset, struct space *s,
		    uintptr_t user, size_t n);

/* @part for each page of [offset, offset + n); how many bytes went well. */
static int64_t each_page(struct inode *i, uint64_t offset, struct space *s,
			 uintptr_t user, size_t n, part_fn *part)
{
	size_t done = 0, now;

	for (; done < n; done += now) {
		uint64_t room = PAGE_SIZE - page_offset(offset + done);
		int error;

		now = n - done < room ? n - done : room;
		error = part(i, offset + done, s, user + done, now);
		if (error)
			return done ? (int64_t)done : error;
	}
	return (int64_t)done;
}

int64_t inode_read(struct inode *i, uint64_t offset, struct space *s,
		   uintptr_t user, size_t n)
{
	uint64_t left = offset < i->bytes ? i->bytes - offset : 0;

	return each_page(i, offset, s, user, n < left ? n : left, read_part);
}

int64_t inode_write(struct inode *i, uint64_t offset, struct space *s,
		    uintptr_t user, size_t n)
{
	return each_page(i, offset, s, user, n, write_part);
}
