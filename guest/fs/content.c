/* SPDX-License-Identifier: MIT */
/*
 * What is in a file: its pages, by way of the page cache, to and from the disk
 * on one side, and a program's memory on the other.
 */
#include "guest/fs/ext2.h"
#include "guest/lib/base.h"

/* What is written had its place reserved before it became dirty. */
static int transfer_page(struct mapping *m, struct frame *f, bool write)
{
	struct inode *i = inode_of(m);
	int64_t block = ext2_map(i, f->index, false);

	if (block > 0)
		return block_transfer(i->fs->disk, (uint64_t)block, f, write);
	if (!block && write)
		return -EIO;
	if (!block)
		memset(frame_bytes(f), 0, PAGE_SIZE);
	return (int)block;
}

/*
 * The page is in the cache before it has a block, and dirty from then on: it
 * must not be read from a block that has never been written. It can leave the
 * cache only by a truncation, which holds the lock.
 */
static int reserve(struct inode *i, struct frame *f)
{
	int64_t block = ext2_map(i, f->index, true);

	if (block < 0)
		return (int)block;
	mapping_dirty(f);
	return 0;
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
	inode_of(m)->count++;
}

static void release(struct mapping *m)
{
	inode_put(inode_of(m));
}

const struct mapping_ops inode_pages = {
	.transfer = transfer_page,
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

/*
 * Who maps the file may get pages again while their blocks are freed: they go,
 * and what is being read or written has ended, before the lock does.
 */
int inode_empty(struct inode *i)
{
	int error;

	fs_lock();
	inode_end(i, 0);
	mapping_discard(&i->pages, 0, UINT64_MAX);
	error = ext2_map_cut(i);
	mapping_discard(&i->pages, 0, UINT64_MAX);
	fs_unlock();
	return error;
}

/*
 * What is written moves the end as soon as there is a block, lest one lie
 * behind it: if the copy fails then, zeros are what was written. The page is
 * dirty again after the copy, which may have slept while it was stored.
 */
static int copy_part(struct inode *i, uint64_t offset, struct space *s,
		     uintptr_t user, size_t n, bool write)
{
	uint64_t index = broken("mmap-read") ? 0 : offset >> PAGE_SHIFT;
	struct frame *f;
	char *at;
	int error;

	if (write && !user_byte(s, user, false))
		return -EFAULT; /* before there is a block for it */
	if (write)
		fs_lock();
	error = write ? inode_page(i, offset + n, &f)
		      : mapping_get(&i->pages, index, &f);
	if (write)
		fs_unlock();
	if (error)
		return error;
	at = (char *)frame_bytes(f) + page_offset(offset);
	error = write ? user_read(s, at, user, n) : user_write(s, user, at, n);
	if (write)
		mapping_dirty(f);
	frame_put(f);
	return error;
}

int64_t inode_copy(struct inode *i, uint64_t offset, struct space *s,
		   uintptr_t user, size_t n, bool write)
{
	uint64_t left = offset < i->bytes ? i->bytes - offset : 0;
	size_t done = 0, now;

	if (!write && n > left)
		n = left;
	for (; done < n; done += now) {
		uint64_t room = PAGE_SIZE - page_offset(offset + done);
		int error;

		now = n - done < room ? n - done : room;
		error = copy_part(i, offset + done, s, user + done, now, write);
		if (error)
			return done ? (int64_t)done : error;
	}
	return (int64_t)done;
}
