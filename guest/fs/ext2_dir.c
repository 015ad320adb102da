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
#include "guest/fs/ext2_node.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"

#define LINKS_MOST 32000u /* of a directory: those below it name it, too */

#define HEAD	   sizeof(struct ext2_entry)

/* What an entry with this name needs. */
static uint16_t entry_bytes(size_t name_bytes)
{
	return (uint16_t)((HEAD + name_bytes + 3) & ~3ul);
}

static struct ext2_entry *entry_at(struct frame *f, uint32_t at)
{
	return (struct ext2_entry *)((char *)ext2_bytes(f) + at);
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

/* What @fits decides about each entry: true ends the search. */
typedef bool fits_fn(const struct ext2_entry *d, const char *name, size_t n);

static bool is_called(const struct ext2_entry *d, const char *name, size_t n)
{
	return d->inode && d->name_bytes == n && !memcmp(d->name, name, n);
}

static uint16_t spare(const struct ext2_entry *d)
{
	return d->inode ? (uint16_t)(d->bytes - entry_bytes(d->name_bytes))
			: d->bytes;
}

static bool has_room(const struct ext2_entry *d, const char *name, size_t n)
{
	(void)name;
	return spare(d) >= entry_bytes(n);
}

/* 0 and *p with its frame held, or -ENOENT. */
static int search(struct inode *dir, const char *name, fits_fn *fits,
		  struct place *p)
{
	size_t n = strlen(name);

	for (uint64_t page = 0; page < dir->bytes >> PAGE_SHIFT; page++) {
		int error = mapping_get(&dir->pages, page, &p->frame);

		if (error)
			return error;
		p->before = NULL;
		for (uint32_t at = 0; at < PAGE_SIZE; at += p->entry->bytes) {
			p->entry = entry_at(p->frame, at);
			if (!is_sane(p->entry, at)) {
				frame_put(p->frame);
				return ext2_nonsense(ext2_of(dir), "directory",
						     dir->number);
			}
			if (fits(p->entry, name, n))
				return 0;
			p->before = p->entry;
		}
		frame_put(p->frame);
	}
	return -ENOENT;
}

/* Old disks have no types there. */
static uint8_t type_of(const struct ext2 *e, uint32_t kind)
{
	if (!(e->super->incompatible & EXT2_INCOMPATIBLE))
		return 0;
	return kind == FILE_DIRECTORY ? EXT2_TYPE_DIRECTORY : EXT2_TYPE_FILE;
}

static void write_entry(struct ext2_entry *d, const struct inode *i,
			const char *name)
{
	size_t n = strlen(name);

	d->inode = i->number;
	d->name_bytes = (uint8_t)n;
	d->type = type_of(ext2_of(i), i->kind);
	memcpy(d->name, name, n);
}

/* One more page at the end of @dir: a single empty entry. */
static int append(struct inode *dir, struct frame **f)
{
	struct ext2_node *n = ext2_node_of(dir);
	uint64_t index = dir->bytes >> PAGE_SHIFT;
	uint32_t block;
	int error = mapping_get(&dir->pages, index, f);

	if (error)
		return error;
	error = ext2_map_make(n, index, &block);
	if (error) {
		ext2_store(n); /* what was made on the way */
		frame_put(*f);
		return error;
	}
	memset(ext2_bytes(*f), 0, PAGE_SIZE);
	entry_at(*f, 0)->bytes = PAGE_SIZE;
	mapping_dirty(*f);
	dir->bytes += PAGE_SIZE;
	error = ext2_store(n);
	if (error)
		frame_put(*f);
	return error;
}

/* Room for @name, with its frame held. */
static int make_room(struct inode *dir, const char *name, struct place *p)
{
	int error = search(dir, name, has_room, p);

	if (error != -ENOENT)
		return error;
	error = append(dir, &p->frame);
	if (!error)
		p->entry = entry_at(p->frame, 0);
	return error;
}

/* In @p, of which what it has too much becomes the new entry. */
static void insert(struct place *p, const struct inode *i, const char *name)
{
	struct ext2_entry *d = p->entry;
	uint16_t bytes = d->bytes;

	if (d->inode) {
		d->bytes = entry_bytes(d->name_bytes);
		bytes = (uint16_t)(bytes - d->bytes);
		d = (struct ext2_entry *)((char *)d + d->bytes);
		d->bytes = bytes;
	}
	write_entry(d, i, name);
	mapping_dirty(p->frame);
	frame_put(p->frame);
}

/* A tree in a directory (its index) would miss what changes now. */
static int drop_index(struct inode *dir)
{
	struct ext2_node *n = ext2_node_of(dir);

	if (!(n->disk.flags & EXT2_INDEXED))
		return 0;
	n->disk.flags &= ~EXT2_INDEXED;
	return ext2_store(n);
}

static int lookup(struct inode *dir, const char *name, struct inode **to)
{
	struct ext2 *e = ext2_of(dir);
	struct place p;
	int error;

	ext2_lock(e);
	error = search(dir, name, is_called, &p);
	if (!error) {
		uint32_t number = p.entry->inode;

		frame_put(p.frame);
		error = ext2_get(e, number, to);
	}
	ext2_unlock(e);
	return error;
}

/* "." and ".." of a new directory. */
static int fill_directory(struct inode *i, const struct inode *parent)
{
	struct ext2_entry *d;
	struct frame *f;
	int error = append(i, &f);

	if (error)
		return error;
	d = entry_at(f, 0);
	write_entry(d, i, ".");
	d->bytes = entry_bytes(1);
	d = entry_at(f, d->bytes);
	write_entry(d, parent, "..");
	d->bytes = (uint16_t)(PAGE_SIZE - entry_bytes(1));
	mapping_dirty(f);
	frame_put(f);
	return 0;
}

static int make(struct inode *dir, const char *name, uint32_t kind,
		struct inode **to)
{
	struct ext2 *e = ext2_of(dir);
	bool directory = kind == FILE_DIRECTORY;
	struct place p;
	uint32_t number;
	int error = -EMLINK;

	if (!directory || dir->links < LINKS_MOST)
		error = make_room(dir, name, &p);
	if (error)
		return error;
	error = ext2_inode_alloc(e, dir->number, directory, &number);
	if (error)
		goto undo_room;
	error = ext2_new(e, number, kind, to);
	if (error)
		goto undo_inode;
	error = directory ? fill_directory(*to, dir) : 0;
	if (error)
		goto undo_new;
	insert(&p, *to, name);
	dir->links += directory;
	return directory ? ext2_store(ext2_node_of(dir)) : 0;

undo_new:
	(*to)->links = 0; /* the last one to put it erases it */
	frame_put(p.frame);
	return error;
undo_inode:
	ext2_inode_free(e, number, directory);
undo_room:
	frame_put(p.frame);
	return error;
}

static int create(struct inode *dir, const char *name, uint32_t kind,
		  struct inode **to)
{
	struct ext2 *e = ext2_of(dir);
	struct place p;
	int error;

	*to = NULL;
	ext2_lock(e);
	error = dir->links ? search(dir, name, is_called, &p) : 0;
	if (!error) {
		error = dir->links ? -EEXIST : -ENOENT;
		if (dir->links)
			frame_put(p.frame);
	} else if (error == -ENOENT) {
		error = drop_index(dir);
		if (!error)
			error = make(dir, name, kind, to);
	}
	ext2_unlock(e);
	if (error && *to)
		inode_put(*to);
	return error;
}

static bool is_other(const struct ext2_entry *d, const char *name, size_t n)
{
	(void)name;
	(void)n;
	return d->inode && !is_called(d, ".", 1) && !is_called(d, "..", 2);
}

/* -ENOENT: nothing but "." and ".." is in it. */
static int check_empty(struct inode *dir)
{
	struct place p;
	int error = search(dir, "", is_other, &p);

	if (error)
		return error;
	frame_put(p.frame);
	return -ENOTEMPTY;
}

static int may_unlink(const char *name, struct inode *i)
{
	int error;

	if (streq(name, ".") || streq(name, ".."))
		return -EINVAL;
	if (ext2_node_of(i)->disk.attributes)
		return -EPERM; /* that block would be lost */
	if (i->kind != FILE_DIRECTORY)
		return 0;
	error = check_empty(i);
	return error == -ENOENT ? 0 : error;
}

static int remove(struct inode *dir, const char *name, struct inode *i)
{
	bool directory = i->kind == FILE_DIRECTORY;
	struct place p;
	int error = may_unlink(name, i);

	if (!error)
		error = drop_index(dir);
	if (!error)
		error = search(dir, name, is_called, &p);
	if (error)
		return error;
	if (p.before)
		p.before->bytes = (uint16_t)(p.before->bytes + p.entry->bytes);
	else
		p.entry->inode = 0;
	mapping_dirty(p.frame);
	frame_put(p.frame);
	i->links = directory ? 0 : i->links - 1;
	dir->links -= directory;
	error = ext2_store(ext2_node_of(i));
	return directory && !error ? ext2_store(ext2_node_of(dir)) : error;
}

static int unlink(struct inode *dir, const char *name)
{
	struct ext2 *e = ext2_of(dir);
	struct inode *i = NULL;
	struct place p;
	int error;

	ext2_lock(e);
	error = search(dir, name, is_called, &p);
	if (!error) {
		uint32_t number = p.entry->inode;

		frame_put(p.frame);
		error = ext2_get(e, number, &i);
	}
	if (!error)
		error = remove(dir, name, i);
	ext2_unlock(e);
	if (i)
		inode_put(i);
	return error;
}

static uint32_t kind_of(uint8_t type)
{
	if (type == EXT2_TYPE_DIRECTORY)
		return FILE_DIRECTORY;
	return type == EXT2_TYPE_FILE ? FILE_REGULAR : 0;
}

/* @at is the entry's byte; a change meanwhile may make it none: the end. */
static int readdir(struct inode *dir, uint64_t *at, struct sys_dirent *to)
{
	while (*at < dir->bytes) {
		struct ext2_entry *d;
		struct frame *f;
		uint32_t within = (uint32_t)page_offset(*at);
		int error = mapping_get(&dir->pages, *at >> PAGE_SHIFT, &f);

		if (error)
			return error;
		d = entry_at(f, within);
		if (within % 4 || !is_sane(d, within)) {
			frame_put(f);
			return -EIO;
		}
		*at += d->bytes;
		if (d->inode) {
			to->inode = d->inode;
			to->kind = kind_of(d->type);
			memcpy(to->name, d->name, d->name_bytes);
			to->name[d->name_bytes] = '\0';
		}
		frame_put(f);
		if (to->inode)
			return 1;
	}
	return 0;
}

const struct inode_ops ext2_directory_ops = {
	.lookup = lookup,
	.create = create,
	.unlink = unlink,
	.readdir = readdir,
};

const struct inode_ops ext2_read_only_ops = {
	.lookup = lookup,
	.readdir = readdir,
};
