/* SPDX-License-Identifier: MIT */
/* Inodes in memory, and their records in the inode tables of the disk. */
#include "guest/fs/inode.h"

#include "guest/fs/ext2.h"
#include "guest/lib/base.h"
#include "guest/mm/slab.h"
#include "guest/proc/sched.h"

#define FILE_MODE      (EXT2_FILE | 0644)
#define DIRECTORY_MODE (EXT2_DIRECTORY | 0755)

static struct inode *all;
static struct inode *doomed; /* erased by who gives up the lock */
static bool locked;

static uint64_t bytes_of(const struct ext2_inode *d)
{
	uint64_t high = (d->mode & EXT2_TYPE) == EXT2_FILE ? d->bytes_high : 0;

	return high << 32 | d->bytes;
}

/* With the record of inode @number of @e, whatever that says; not listed. */
static int make(struct ext2 *e, uint32_t number, struct inode **to)
{
	uint32_t each = e->each[EXT2_INODES];
	uint32_t byte = (number - 1) % each * e->super->inode_bytes;
	uint32_t table = ext2_group(e, (number - 1) / each)->inode_table;
	struct inode *i = kzalloc(sizeof(*i));
	int error;

	if (!i)
		return -ENOMEM;
	error = ext2_block(e, table + byte / (uint32_t)PAGE_SIZE, &i->table);
	if (error) {
		kfree(i);
		return error;
	}
	i->disk = (void *)((char *)frame_bytes(i->table) + page_offset(byte));
	i->fs = e;
	i->number = number;
	i->count = 1;
	mapping_init(&i->pages, &inode_pages);
	*to = i;
	return 0;
}

static void list(struct inode *i)
{
	i->bytes = bytes_of(i->disk);
	i->pages.end = (i->bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
	i->next = all;
	all = i;
}

static void forget(struct inode *i)
{
	frame_put(i->table);
	kfree(i);
}

static void count_directory(struct ext2 *e, uint32_t number, int more)
{
	uint32_t group = (number - 1) / e->each[EXT2_INODES];
	struct ext2_group *g = ext2_group(e, group);

	g->directories = (uint16_t)(g->directories + more);
	mapping_dirty(ext2_group_frame(e, group));
}

/* On an error blocks are lost, which e2fsck finds; nothing worse. */
static void erase(struct inode *i)
{
	i->disk->deleted_at = i->fs->now;
	inode_end(i, 0);
	if (!ext2_map_cut(i) &&
	    !ext2_release(i->fs, EXT2_INODES, i->number - 1) &&
	    inode_is_directory(i))
		count_directory(i->fs, i->number, -1);
	forget(i);
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

/* While its pages go, which may sleep, one of them may make who evicts it hold
 * the inode; without pages nobody can. */
void inode_put(struct inode *i)
{
	struct inode **link = &all;

	if (i->count == 1 && !i->disk->links)
		mapping_discard(&i->pages, 0, UINT64_MAX);
	if (--i->count || i->disk->links)
		return;
	while (*link != i)
		link = &(*link)->next;
	*link = i->next;
	i->next = doomed;
	doomed = i;
	if (!locked) {
		fs_lock();
		fs_unlock();
	}
}

static struct inode *find(struct ext2 *e, uint32_t number)
{
	struct inode *i = all;

	while (i && (i->fs != e || i->number != number))
		i = i->next;
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
	int error;

	if (number > e->all[EXT2_INODES] ||
	    (number != EXT2_ROOT && number < e->super->first_inode))
		return ext2_nonsense(e, "inode", number);
	*to = find(e, number);
	if (*to) {
		(*to)->count++;
		return 0;
	}
	error = make(e, number, to);
	if (error)
		return error;
	error = check((*to)->disk);
	if (!error)
		list(*to);
	else
		forget(*to);
	return error == -EIO ? ext2_nonsense(e, "inode", number) : error;
}

int inode_new(struct ext2 *e, bool directory, struct inode **to)
{
	struct ext2_inode *d;
	uint32_t n;
	int error = ext2_take(e, EXT2_INODES, &n);

	if (error)
		return error;
	if (n + 1 < e->super->first_inode || find(e, n + 1))
		return ext2_nonsense(e, "free inode", n + 1);
	error = make(e, n + 1, to);
	if (error) {
		ext2_release(e, EXT2_INODES, n);
		return error;
	}
	d = (*to)->disk;
	memset(d, 0, sizeof(*d));
	d->mode = directory ? DIRECTORY_MODE : FILE_MODE;
	d->accessed_at = d->changed_at = d->modified_at = e->now;
	inode_changed(*to);
	list(*to);
	count_directory(e, n + 1, directory);
	return 0;
}

/* What is held is still in the list after a sleep. */
int inode_sync_all(bool last)
{
	struct inode *i = all, *next;
	int error, result = 0;

	if (i)
		i->count++;
	for (; i; i = next) {
		error = mapping_sync(&i->pages, 0, UINT64_MAX);
		result = error ? error : result;
		next = i->next;
		if (next)
			next->count++;
		inode_put(i);
	}
	error = ext2_sync(root_fs, last);
	return error ? error : result;
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
