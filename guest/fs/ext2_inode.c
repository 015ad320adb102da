/* SPDX-License-Identifier: MIT */
/* Inodes of ext2: their records in the inode tables, and pages of files. */
#include "guest/fs/ext2_node.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/slab.h"

/* As many pages as ext2_map reaches. */
#define PAGES_MOST     (12 + (1ul << 10) + (1ul << 20) + (1ul << 30))

#define FILE_MODE      (EXT2_FILE | 0644)
#define DIRECTORY_MODE (EXT2_DIRECTORY | 0755)

static struct cache *nodes;

/* Where on the disk inode @number is; *f is held. */
static int find_record(struct ext2 *e, uint32_t number, struct frame **f,
		       struct ext2_inode **at)
{
	uint32_t index = (number - 1) % e->group_inodes, table, byte;
	struct ext2_group *g;
	struct frame *groups;
	int error;

	if (!number || number > e->inodes)
		return ext2_nonsense(e, "inode", number);
	error = ext2_group(e, (number - 1) / e->group_inodes, &groups, &g);
	if (error)
		return error;
	byte = index * e->inode_bytes;
	table = g->inode_table;
	frame_put(groups);
	error = ext2_block(e, table + byte / (uint32_t)PAGE_SIZE, f);
	if (!error)
		*at = (void *)((char *)ext2_bytes(*f) + page_offset(byte));
	return error;
}

int ext2_store(struct ext2_node *n)
{
	struct inode *i = &n->inode;
	struct ext2_inode *to;
	struct frame *f;
	int error = find_record(ext2_of(i), i->number, &f, &to);

	if (error)
		return error;
	n->disk.links = (uint16_t)i->links;
	n->disk.sectors = (uint32_t)i->blocks;
	n->disk.bytes = (uint32_t)i->bytes;
	if (i->kind == FILE_REGULAR)
		n->disk.bytes_high = (uint32_t)(i->bytes >> 32);
	*to = n->disk;
	mapping_dirty(f);
	frame_put(f);
	return 0;
}

static int read_page(struct mapping *m, struct frame *f)
{
	struct inode *i = inode_of(m);
	uint32_t block;
	int error = ext2_map(ext2_node_of(i), f->index, &block);

	if (error)
		return error;
	if (block)
		return block_read(ext2_of(i)->disk, block, f);
	memset(ext2_bytes(f), 0, PAGE_SIZE);
	return 0;
}

/* Its place was reserved before it became dirty. */
static int write_page(struct mapping *m, struct frame *f)
{
	struct inode *i = inode_of(m);
	uint32_t block;
	int error = ext2_map(ext2_node_of(i), f->index, &block);

	if (error)
		return error;
	return block ? block_write(ext2_of(i)->disk, block, f) : -EIO;
}

/*
 * The page is in the cache before it has a block, and dirty from then on: it
 * must not be read from a block that has never been written. It can leave the
 * cache only by a truncation, which holds the lock.
 */
static int reserve_page(struct mapping *m, struct frame *f)
{
	struct ext2_node *n = ext2_node_of(inode_of(m));
	struct ext2 *e = ext2_of(&n->inode);
	uint32_t block;
	int error;

	if (e->readonly)
		return -EROFS;
	error = ext2_map(n, f->index, &block);
	if (!error && block && f->owner == m)
		mapping_dirty(f);
	if (error || block)
		return error || f->owner == m ? error : -EAGAIN;
	ext2_lock(e);
	error = f->owner == m ? ext2_map_make(n, f->index, &block) : -EAGAIN;
	if (!error)
		mapping_dirty(f);
	if (error)
		ext2_store(n); /* what was made on the way */
	else
		error = ext2_store(n);
	ext2_unlock(e);
	return error;
}

static const struct mapping_ops page_ops = {
	.read = read_page,
	.write = write_page,
	.reserve = reserve_page,
	.hold = inode_hold,
	.release = inode_release,
};

static const struct inode_ops file_ops = {
	.resize = ext2_resize,
	.grow = ext2_grow,
};
static const struct inode_ops read_only_file_ops = { 0 };

static const struct inode_ops *ops_of(const struct ext2 *e, uint32_t kind)
{
	if (kind == FILE_DIRECTORY)
		return e->readonly ? &ext2_read_only_ops : &ext2_directory_ops;
	return e->readonly ? &read_only_file_ops : &file_ops;
}

static struct ext2_node *new_node(void)
{
	struct ext2_node *n;

	if (!nodes)
		nodes = cache_create("ext2 inode", sizeof(*n));
	n = cache_alloc(nodes);
	return n ? memset(n, 0, sizeof(*n)) : NULL;
}

void ext2_free(struct inode *i)
{
	cache_free(nodes, i);
}

/* What its record says; other kinds than these two are nothing to us. */
static int fill_in(struct ext2_node *n)
{
	struct inode *i = &n->inode;
	unsigned type = n->disk.mode & EXT2_TYPE;

	if (type != EXT2_FILE && type != EXT2_DIRECTORY)
		return -EINVAL;
	i->kind = type == EXT2_FILE ? FILE_REGULAR : FILE_DIRECTORY;
	i->links = n->disk.links;
	i->blocks = n->disk.sectors;
	i->bytes = n->disk.bytes;
	if (type == EXT2_FILE)
		i->bytes |= (uint64_t)n->disk.bytes_high << 32;
	if (!i->links || i->bytes > PAGES_MOST << PAGE_SHIFT ||
	    (type == EXT2_DIRECTORY && page_offset(i->bytes)))
		return -EIO;
	return 0;
}

int ext2_get(struct ext2 *e, uint32_t number, struct inode **to)
{
	struct ext2_inode *record;
	struct ext2_node *n;
	struct frame *f;
	int error;

	if (number != EXT2_ROOT && number < e->first_inode)
		return ext2_nonsense(e, "inode", number);
	if ((*to = inode_find(&e->fs, number)))
		return 0;
	error = find_record(e, number, &f, &record);
	if (error)
		return error;
	n = new_node();
	if (n) {
		n->disk = *record;
		n->inode.number = number;
	}
	frame_put(f);
	if (!n)
		return -ENOMEM;
	error = fill_in(n);
	if (error) {
		cache_free(nodes, n);
		return error == -EIO ? ext2_nonsense(e, "inode", number)
				     : error;
	}
	inode_add(&n->inode, &e->fs, ops_of(e, n->inode.kind), &page_ops);
	*to = &n->inode;
	return 0;
}

int ext2_new(struct ext2 *e, uint32_t number, uint32_t kind, struct inode **to)
{
	struct ext2_node *n = new_node();
	bool directory = kind == FILE_DIRECTORY;
	int error;

	if (!n)
		return -ENOMEM;
	n->inode.number = number;
	n->inode.kind = kind;
	n->inode.links = directory ? 2 : 1;
	n->disk.mode = directory ? DIRECTORY_MODE : FILE_MODE;
	n->disk.accessed_at = n->disk.changed_at = n->disk.modified_at = e->now;
	n->inode.fs = &e->fs;
	error = ext2_store(n);
	if (error) {
		cache_free(nodes, n);
		return error;
	}
	inode_add(&n->inode, &e->fs, ops_of(e, kind), &page_ops);
	*to = &n->inode;
	return 0;
}

/* On an error blocks are lost, which e2fsck finds; nothing worse. */
void ext2_erase(struct inode *i)
{
	struct ext2_node *n = ext2_node_of(i);
	struct ext2 *e = ext2_of(i);

	ext2_lock(e);
	n->inode.bytes = 0;
	n->disk.deleted_at = e->now;
	if (!ext2_map_cut(n, 0) && !ext2_store(n))
		ext2_inode_free(e, i->number, i->kind == FILE_DIRECTORY);
	ext2_unlock(e);
}

/* Zeros behind the new end: they would be seen if the file grew again. */
static int clear_tail(struct inode *i, uint64_t bytes)
{
	uint64_t index = bytes >> PAGE_SHIFT;
	size_t at = page_offset(bytes);
	struct frame *f;
	uint32_t block;
	int error = ext2_map(ext2_node_of(i), index, &block);

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
	uint64_t pages = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
	int error = clear_tail(i, bytes);

	if (error)
		return error;
	inode_resize(i, bytes);
	mapping_truncate(&i->pages, pages);
	error = ext2_map_cut(ext2_node_of(i), pages);
	mapping_truncate(&i->pages, pages);
	return error;
}

static int resize(struct inode *i, uint64_t bytes, bool may_shrink)
{
	struct ext2 *e = ext2_of(i);
	int error = 0, stored;

	if (bytes > PAGES_MOST << PAGE_SHIFT)
		return -EFBIG;
	ext2_lock(e);
	if (bytes > i->bytes)
		inode_resize(i, bytes);
	else if (may_shrink && bytes < i->bytes)
		error = shrink(i, bytes);
	if (bytes > INT32_MAX && !(e->super->read_only & EXT2_LARGE_FILE)) {
		e->super->read_only |= EXT2_LARGE_FILE;
		mapping_dirty(e->super_frame);
	}
	stored = ext2_store(ext2_node_of(i));
	ext2_unlock(e);
	return error ? error : stored;
}

int ext2_resize(struct inode *i, uint64_t bytes)
{
	return resize(i, bytes, true);
}

int ext2_grow(struct inode *i, uint64_t bytes)
{
	return resize(i, bytes, false);
}
