/* SPDX-License-Identifier: MIT */
#include "guest/fs/inode.h"

#include "guest/lib/broken.h"
#include "guest/lib/errno.h"
#include "guest/mm/user.h"

/* As far as a signed offset goes. */
#define FILE_MOST (INT64_MAX & ~(PAGE_SIZE - 1))

struct file_system *root_fs;

static struct inode *all;

struct inode *inode_find(struct file_system *fs, uint32_t number)
{
	for (struct inode *i = all; i; i = i->next) {
		if (i->fs == fs && i->number == number) {
			i->count++;
			return i;
		}
	}
	return NULL;
}

void inode_add(struct inode *i, struct file_system *fs,
	       const struct inode_ops *ops, const struct mapping_ops *pages)
{
	i->fs = fs;
	i->ops = ops;
	i->count = 1;
	mapping_init(&i->pages, pages);
	inode_resize(i, i->bytes);
	i->next = all;
	all = i;
}

void inode_resize(struct inode *i, uint64_t bytes)
{
	i->bytes = bytes;
	i->pages.end = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

void inode_get(struct inode *i)
{
	i->count++;
}

static void unlist(struct inode *i)
{
	struct inode **link = &all;

	while (*link != i)
		link = &(*link)->next;
	*link = i->next;
}

static void forget(struct inode *i)
{
	mapping_end(&i->pages);
	i->fs->ops->free(i);
}

/* Erasing sleeps: nobody must find it then. */
void inode_put(struct inode *i)
{
	if (--i->count || i->links)
		return;
	unlist(i);
	mapping_truncate(&i->pages, 0);
	i->fs->ops->erase(i);
	forget(i);
}

void inode_hold(struct mapping *m)
{
	inode_get(inode_of(m));
}

void inode_release(struct mapping *m)
{
	inode_put(inode_of(m));
}

/* What is held is still in the list after a sleep. */
static struct inode *held(struct inode *i)
{
	if (i)
		inode_get(i);
	return i;
}

int inode_sync_all(bool last)
{
	struct inode *next;
	int error, result = 0;

	for (struct inode *i = held(all); i; i = next) {
		error = mapping_sync(&i->pages, 0, UINT64_MAX);
		if (error)
			result = error;
		next = held(i->next);
		inode_put(i);
	}
	error = root_fs->ops->sync(root_fs, last);
	return error ? error : result;
}

uint64_t inode_unsaved(void)
{
	uint64_t pages = 0;

	for (struct inode *i = all; i; i = i->next)
		pages += i->pages.unsaved;
	return pages;
}

void inode_drop_all(void)
{
	struct inode **link = &all, *i;

	while ((i = *link)) {
		if (i->count || i->pages.frames) {
			link = &i->next;
			continue;
		}
		*link = i->next;
		forget(i);
	}
}

/* How much of [offset, offset + n) lies in the page of @offset. */
static size_t in_page(uint64_t offset, uint64_t n)
{
	uint64_t room = PAGE_SIZE - page_offset(offset);

	return n < room ? n : room;
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
	error = user_write(
		s, user, (char *)direct(frame_pa(f)) + page_offset(offset), n);
	frame_put(f);
	return error;
}

int64_t inode_read(struct inode *i, uint64_t offset, struct space *s,
		   uintptr_t user, size_t n)
{
	size_t done = 0, part;
	int error = 0;

	while (done < n && offset < i->bytes && !error) {
		uint64_t left = i->bytes - offset;

		part = in_page(offset, n - done < left ? n - done : left);
		error = read_part(i, offset, s, user + done, part);
		if (error)
			break;
		done += part;
		offset += part;
	}
	return done || !error ? (int64_t)done : error;
}

/*
 * A page gets its block before it is dirty, and is dirty from then on, lest it
 * be read again from a block that has never been written. It is dirty again
 * afterwards, for the copy may have slept while the page was written.
 */
static int write_part(struct inode *i, uint64_t offset, struct space *s,
		      uintptr_t user, size_t n)
{
	struct frame *f;
	int error;

	if (!user_byte(s, user, false))
		return -EFAULT; /* before there is a block for it */
	do {
		error = mapping_get(&i->pages, offset >> PAGE_SHIFT, &f);
		if (error)
			return error;
		error = mapping_write(&i->pages, f);
		if (error)
			frame_put(f);
	} while (error == -EAGAIN);
	if (error)
		return error;
	error = user_read(s, (char *)direct(frame_pa(f)) + page_offset(offset),
			  user, n);
	mapping_dirty(f);
	frame_put(f);
	return error;
}

int64_t inode_write(struct inode *i, uint64_t offset, struct space *s,
		    uintptr_t user, size_t n)
{
	size_t done = 0, part;
	int error = 0;

	if (!i->ops->resize)
		return -EROFS;
	if (offset > FILE_MOST || n > FILE_MOST - offset)
		return -EFBIG;
	while (done < n) {
		part = in_page(offset, n - done);
		error = write_part(i, offset, s, user + done, part);
		if (error)
			break;
		done += part;
		offset += part;
	}
	if (done && offset > i->bytes)
		error = i->ops->grow(i, offset);
	return done ? (int64_t)done : error;
}
