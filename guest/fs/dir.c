/* SPDX-License-Identifier: MIT */
/*
 * Directories of ext2: lists of entries (ext2_disk.h) in the pages of a file.
 * An entry is removed by letting the one before it reach over it, and added in
 * what another does not need:
 *
 *	| . | .. | a      | b       | c            |   unlink b
 *	| . | .. | a                | c            |   create d
 *	| . | .. | a      | d       | c            |
 */
#include "guest/fs/ext2.h"
#include "guest/lib/base.h"

#define LINKS_MOST 32000u /* of a directory: those below it name it, too */

#define HEAD	   sizeof(struct ext2_entry)

/* What an entry with this name needs. */
static uint16_t entry_bytes(size_t name_bytes)
{
	return (uint16_t)((HEAD + name_bytes + 3) & ~3ul);
}

static struct ext2_entry *entry_at(struct frame *f, uint32_t at)
{
	return (struct ext2_entry *)((char *)frame_bytes(f) + at);
}

/* The entry at @at of a page: is it one? */
static bool is_sane(const struct ext2_entry *d, uint32_t at)
{
	uint32_t room = (uint32_t)PAGE_SIZE - at;

	return room >= HEAD && d->bytes >= HEAD && d->bytes % 4 == 0 &&
	       d->bytes <= room && entry_bytes(d->name_bytes) <= d->bytes;
}

/* A place in a directory: an entry, and the one before it in its page. */
struct place {
	struct frame *frame; /* held */
	struct ext2_entry *entry, *before;
};

/* What is looked for: true ends the search. */
typedef bool fits_fn(const struct ext2_entry *d, const char *name);

static bool is_called(const struct ext2_entry *d, const char *name)
{
	return d->inode && d->name_bytes == strlen(name) &&
	       !memcmp(d->name, name, d->name_bytes);
}

static bool has_room(const struct ext2_entry *d, const char *name)
{
	size_t used = d->inode ? entry_bytes(d->name_bytes) : 0;

	return d->bytes - used >= entry_bytes(strlen(name));
}

/* One that is neither @name nor "..". */
static bool is_other(const struct ext2_entry *d, const char *name)
{
	return d->inode && !is_called(d, name) && !is_called(d, "..");
}

/* 0 and *p with its frame held, or -ENOENT. */
static int search(struct inode *dir, const char *name, fits_fn *fits,
		  struct place *p)
{
	for (uint64_t page = 0; page < dir->pages.end; page++) {
		int error = mapping_get(&dir->pages, page, &p->frame);

		if (error)
			return error;
		p->before = NULL;
		for (uint32_t at = 0; at < PAGE_SIZE; at += p->entry->bytes) {
			p->entry = entry_at(p->frame, at);
			if (!is_sane(p->entry, at)) {
				frame_put(p->frame);
				return ext2_nonsense(dir->fs, "directory",
						     dir->number);
			}
			if (fits(p->entry, name))
				return 0;
			p->before = p->entry;
		}
		frame_put(p->frame);
	}
	return -ENOENT;
}

/* What @dir calls @name. */
static int look_up(struct inode *dir, const char *name, struct place *p)
{
	if (!inode_is_directory(dir))
		return -ENOTDIR;
	return search(dir, name, is_called, p);
}

int dir_find(struct inode *dir, const char *name, struct inode **to)
{
	struct place p;
	int error = look_up(dir, name, &p);

	if (error)
		return error;
	error = inode_load(dir->fs, p.entry->inode, to);
	frame_put(p.frame);
	return error;
}

/* One more page at the end of @dir: a single empty entry. */
static int append(struct inode *dir, struct place *p)
{
	int error = inode_page(dir, dir->bytes + PAGE_SIZE, &p->frame);

	if (error)
		return error;
	p->entry = memset(frame_bytes(p->frame), 0, PAGE_SIZE);
	p->entry->bytes = PAGE_SIZE;
	return 0;
}

/* What the entry at @p has too much becomes one that calls @i @name. */
static void insert(struct place *p, const struct inode *i, const char *name)
{
	struct ext2_entry *d = p->entry;
	size_t n = strlen(name);

	if (d->inode) {
		uint16_t bytes = d->bytes;

		d->bytes = entry_bytes(d->name_bytes);
		p->entry = (struct ext2_entry *)((char *)d + d->bytes);
		p->entry->bytes = (uint16_t)(bytes - d->bytes);
		d = p->entry;
	}
	d->inode = i->number;
	d->name_bytes = (uint8_t)n;
	d->type = inode_is_directory(i) ? FILE_DIRECTORY : FILE_REGULAR;
	memcpy(d->name, name, n);
	mapping_dirty(p->frame);
}

static int name_it(struct inode *dir, const char *name, struct inode *i)
{
	struct place p;
	int error = search(dir, name, has_room, &p);

	if (error == -ENOENT)
		error = append(dir, &p);
	if (error)
		return error;
	insert(&p, i, name);
	frame_put(p.frame);
	return 0;
}

/* @dir is about to change, and @links more directories name it. A tree that
 * lies in it (its index) would miss that: it is one no more. */
static void change(struct inode *dir, int links)
{
	dir->disk->flags &= ~EXT2_INDEXED;
	dir->disk->links = (uint16_t)(dir->disk->links + links);
	inode_changed(dir);
}

/* Until it has a name, what goes wrong ends with the inode. */
static int make(struct inode *dir, const char *name, bool directory,
		struct inode **to)
{
	int error;

	if (dir->fs->readonly)
		return -EROFS;
	if (directory && dir->disk->links >= LINKS_MOST)
		return -EMLINK;
	error = inode_new(dir->fs, directory, to);
	if (error)
		return error;
	if (directory)
		error = name_it(*to, ".", *to);
	if (directory && !error)
		error = name_it(*to, "..", dir);
	if (!error)
		error = name_it(dir, name, *to);
	if (error) {
		inode_put(*to);
		return error;
	}
	(*to)->disk->links = directory ? 2 : 1;
	inode_changed(*to);
	change(dir, directory);
	return 0;
}

int dir_open(struct inode *dir, const char *name, struct inode **to)
{
	int error = dir_find(dir, name, to);

	return error == -ENOENT ? make(dir, name, false, to) : error;
}

int dir_mkdir(struct inode *dir, const char *name, struct inode **to)
{
	int error = dir_find(dir, name, to);

	if (error)
		return error == -ENOENT ? make(dir, name, true, to) : error;
	inode_put(*to);
	return -EEXIST;
}

static int may_unlink(const char *name, struct inode *i)
{
	struct place p;
	int error;

	if (streq(name, ".") || streq(name, ".."))
		return -EINVAL;
	if (i->disk->attributes)
		return -EPERM; /* that block would be lost */
	if (!inode_is_directory(i))
		return 0;
	error = search(i, ".", is_other, &p);
	if (error)
		return error == -ENOENT ? 0 : error;
	frame_put(p.frame);
	return -ENOTEMPTY;
}

static void cut_out(struct place *p)
{
	if (p->before)
		p->before->bytes =
			(uint16_t)(p->before->bytes + p->entry->bytes);
	else
		p->entry->inode = 0;
	mapping_dirty(p->frame);
}

int dir_unlink(struct inode *dir, const char *name, struct inode **to)
{
	struct place p;
	struct inode *i;
	int error = look_up(dir, name, &p);

	(void)to;
	if (error)
		return error;
	error = dir->fs->readonly ? -EROFS
				  : inode_load(dir->fs, p.entry->inode, &i);
	if (error)
		goto undo_look_up;
	error = may_unlink(name, i);
	if (!error) {
		cut_out(&p);
		change(dir, inode_is_directory(i) ? -1 : 0);
		i->disk->links--;
		if (inode_is_directory(i))
			i->disk->links = 0;
		inode_changed(i);
	}
	inode_put(i);

undo_look_up:
	frame_put(p.frame);
	return error;
}

/* Cut the next name off *path, at the end "". 0 or -ENAMETOOLONG. */
static int next_name(const char **path, char name[NAME_BYTES])
{
	const char *at = *path;
	size_t n = 0;

	while (*at == '/')
		at++;
	while (at[n] && at[n] != '/') {
		if (n == NAME_BYTES - 1)
			return -ENAMETOOLONG;
		name[n] = at[n];
		n++;
	}
	name[n] = '\0';
	*path = at + n;
	return 0;
}

/* The root is what it calls "." itself. */
int path_do(dir_fn *what, struct ext2 *fs, const char *path, struct inode **to)
{
	char name[NAME_BYTES] = ".", next[NAME_BYTES];
	struct inode *at, *below;
	int error;

	fs_lock();
	error = inode_load(fs, EXT2_ROOT, &at);
	if (error)
		goto unlock;
	while (!(error = next_name(&path, next)) && *next) {
		error = dir_find(at, name, &below);
		if (error)
			break;
		inode_put(at);
		at = below;
		memcpy(name, next, sizeof(next));
	}
	if (!error)
		error = what(at, name, to);
	inode_put(at);

unlock:
	fs_unlock();
	return error;
}
