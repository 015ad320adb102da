/* SPDX-License-Identifier: MIT */
/* Inodes in memory, and their records in the inode tables of the disk. */
#include "guest/fs/inode.h"

#include "guest/fs/ext2.h"
#include "guest/lib/errno.h"
#include "guest/mm/slab.h"
#include "guest/proc/sleep.h"

#define FILE_MODE      (EXT2_FILE | 0644)
#define DIRECTORY_MODE (EXT2_DIRECTORY | 0755)

static struct inode *all;
static struct inode *doomed; /* erased by who gives up the lock */
static bool locked;

/* Where on the disk the record of inode @number is; *f is held. */
static int find_record(struct ext2 *e, uint32_t number, struct frame **f,
		       struct ext2_inode **at)
{
	uint32_t each = e->each[EXT2_INODES];
	uint32_t byte = (number - 1) % each * e->inode_bytes;
	uint32_t table = ext2_group(e, (number - 1) / each)->inode_table;
	int error = ext2_block(e, table + byte / (uint32_t)PAGE_SIZE, f);

	if (!error)
		*at = (void *)((char *)ext2_bytes(*f) + page_offset(byte));
	return error;
}

static int store(struct inode *i)
{
	struct ext2 *e = i->fs;
	struct ext2_inode *record;
	struct frame *f;
	int error = find_record(e, i->number, &f, &record);

	if (error)
		return error;
	i->disk.bytes = (uint32_t)i->bytes;
	if (!inode_is_directory(i))
		i->disk.bytes_high = (uint32_t)(i->bytes >> 32);
	*record = i->disk;
	i->dirty = false;
	mapping_dirty(f);
	frame_put(f);
	if (i->bytes > INT32_MAX && !(e->super->read_only & EXT2_LARGE_FILE)) {
		e->super->read_only |= EXT2_LARGE_FILE;
		mapping_dirty(e->held[0]);
	}
	return 0;
}

/* On an error blocks are lost, which e2fsck finds; nothing worse. */
static void erase(struct inode *i)
{
	struct ext2 *e = i->fs;

	inode_end(i, 0);
	i->disk.deleted_at = e->now;
	if (!ext2_map_cut(i, 0) && !store(i) &&
	    !ext2_release(e, EXT2_INODES, i->number - 1) &&
	    inode_is_directory(i))
		ext2_group(e, (i->number - 1) / e->each[EXT2_INODES])
			->directories--;
	mapping_end(&i->pages);
	kfree(i);
}

void fs_lock(void)
{
	while (locked)
		sleep_on(&locked);
	locked = true;
}

void fs_unlock(void)
{
	struct inode *i;

	while ((i = doomed)) {
		doomed = i->next;
		erase(i);
	}
	locked = false;
	wake(&locked);
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

/* While its pages go, which may sleep, one of them may make who evicts it hold
 * the inode; without pages nobody can. */
void inode_put(struct inode *i)
{
	if (i->count == 1 && !i->disk.links)
		mapping_truncate(&i->pages, 0);
	if (--i->count || i->disk.links)
		return;
	unlist(i);
	i->next = doomed;
	doomed = i;
	if (!locked) {
		fs_lock();
		fs_unlock();
	}
}

static uint64_t bytes_of(const struct ext2_inode *d)
{
	uint64_t high = (d->mode & EXT2_TYPE) == EXT2_FILE ? d->bytes_high : 0;

	return high << 32 | d->bytes;
}

/* @i, of which @e, @number and what is on the disk are known: count 1. */
static void add(struct inode *i, struct ext2 *e, uint32_t number)
{
	i->fs = e;
	i->number = number;
	i->count = 1;
	mapping_init(&i->pages, &inode_pages);
	inode_end(i, bytes_of(&i->disk));
	i->next = all;
	all = i;
}

static struct inode *find(struct ext2 *e, uint32_t number)
{
	struct inode *i = all;

	while (i && (i->fs != e || i->number != number))
		i = i->next;
	return i;
}

static struct inode *read_record(struct ext2 *e, uint32_t number, int *error)
{
	struct ext2_inode *record;
	struct inode *i;
	struct frame *f;

	*error = find_record(e, number, &f, &record);
	if (*error)
		return NULL;
	i = kzalloc(sizeof(*i));
	if (i)
		i->disk = *record;
	else
		*error = -ENOMEM;
	frame_put(f);
	return i;
}

/* Other kinds than these two are nothing to us. */
static int check(const struct ext2_inode *d)
{
	unsigned type = d->mode & EXT2_TYPE;

	if (type != EXT2_FILE && type != EXT2_DIRECTORY)
		return -EINVAL;
	if (!d->links || bytes_of(d) > EXT2_PAGES << PAGE_SHIFT ||
	    (type == EXT2_DIRECTORY && page_offset(d->bytes)))
		return -EIO;
	return 0;
}

int inode_load(struct ext2 *e, uint32_t number, struct inode **to)
{
	struct inode *i;
	int error;

	if (number > e->all[EXT2_INODES] ||
	    (number != EXT2_ROOT && number < e->first_inode))
		return ext2_nonsense(e, "inode", number);
	i = find(e, number);
	if (i) {
		inode_get(i);
		*to = i;
		return 0;
	}
	i = read_record(e, number, &error);
	if (!i)
		return error;
	error = check(&i->disk);
	if (error) {
		kfree(i);
		return error == -EIO ? ext2_nonsense(e, "inode", number)
				     : error;
	}
	add(i, e, number);
	*to = i;
	return 0;
}

int inode_new(struct inode *dir, bool directory, struct inode **to)
{
	struct ext2 *e = dir->fs;
	uint32_t each = e->each[EXT2_INODES], number;
	struct inode *i = kzalloc(sizeof(*i));
	int error;

	if (!i)
		return -ENOMEM;
	error = ext2_take(e, EXT2_INODES, dir->number - 1, &number);
	if (!error && (number + 1 < e->first_inode || find(e, number + 1)))
		error = ext2_nonsense(e, "free inode", number + 1);
	if (error) {
		kfree(i);
		return error;
	}
	ext2_group(e, number / each)->directories += directory;
	i->disk.mode = directory ? DIRECTORY_MODE : FILE_MODE;
	i->disk.accessed_at = i->disk.changed_at = i->disk.modified_at = e->now;
	i->dirty = true;
	add(i, e, number + 1);
	*to = i;
	return 0;
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
		result = error ? error : result;
		error = i->dirty ? store(i) : 0;
		result = error ? error : result;
		next = held(i->next);
		inode_put(i);
	}
	error = ext2_sync(root_fs, last);
	return error ? error : result;
}

uint64_t inode_unsaved(void)
{
	uint64_t n = 0;

	for (struct inode *i = all; i; i = i->next)
		n += i->pages.unsaved + i->dirty;
	return n;
}

void inode_drop_all(void)
{
	struct inode **link = &all, *i;

	while ((i = *link)) {
		if (i->count || i->pages.frames || i->dirty) {
			link = &i->next;
			continue;
		}
		*link = i->next;
		mapping_end(&i->pages);
		kfree(i);
	}
}
