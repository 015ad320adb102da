/* SPDX-License-Identifier: MIT */
/*
 * An inode: a file, without its name. There is one struct for each that is in
 * use or has pages in the cache, however often it is open. What the disk knows
 * of it stays where it was read to, in the buffer cache, and changes there.
 *
 *	path ---> inode (this) <--- struct file, one per open
 *	            |  pages
 *	            v
 *	          struct mapping: the cache ---> ext2_map ---> the disk
 */
#pragma once

#include "guest/fs/ext2_disk.h"
#include "guest/mm/mapping.h"
#include "guest/mm/space.h"

struct ext2;

struct inode {
	struct mapping pages; /* the first: they have one address */
	struct ext2 *fs;
	uint32_t number;
	uint32_t count; /* who hold it */
	uint64_t bytes;
	struct ext2_inode *disk; /* its record, in: */
	struct frame *table; /* held */
	struct inode *next; /* all of them */
};

static inline bool inode_is_directory(const struct inode *i)
{
	return (i->disk->mode & EXT2_TYPE) == EXT2_DIRECTORY;
}

/* What @i->disk says was changed. */
static inline void inode_changed(struct inode *i)
{
	mapping_dirty(i->table);
}

/*
 * The lock of all file systems. Who looks up names or changes the disk holds
 * it; reading a page of a file does not, for what is mapped stays as it is
 * until mapping_discard has waited for those who read.
 */
void fs_lock(void); /* sleeps until nobody has it */
void fs_unlock(void); /* may sleep */

/* With fs_lock. Inode @number of @e, with a reference, in *to. 0 or -errno. */
int inode_load(struct ext2 *e, uint32_t number, struct inode **to);

/* With fs_lock. A new one; without a link it ends with its reference. */
int inode_new(struct ext2 *e, bool directory, struct inode **to);

/* One holder, of i->count, less: the last one to put what no name leads to
 * erases it. May sleep. */
void inode_put(struct inode *i);

static inline struct inode *inode_of(struct mapping *m)
{
	return (struct inode *)m;
}

/* Write back the pages of all files, then what their file system has. */
int inode_sync_all(bool last);

/* Forget what nobody holds and has no page in memory. */
void inode_drop_all(void);

/* content.c: pages of files. */
extern const struct mapping_ops inode_pages;

/* It ends at @bytes from now on; what of its pages goes is the caller's. */
void inode_end(struct inode *i, uint64_t bytes);

/*
 * With fs_lock: the page before @end, dirty, with a block to store it, in *f,
 * with a reference. The file does not end before @end. 0 or -errno.
 */
int inode_page(struct inode *i, uint64_t end, struct frame **f);

/* All that is in it is gone. May sleep. 0 or -errno. */
int inode_empty(struct inode *i);

/*
 * Bytes [offset, offset + n) from @user of @s, with @write, else to it, by way
 * of the cache. How many that were, -errno if none. May sleep. Reading stops
 * at the end of the file, writing moves it.
 */
int64_t inode_copy(struct inode *i, uint64_t offset, struct space *s,
		   uintptr_t user, size_t n, bool write);

/*
 * dir.c: names. "/bin/hello" is looked up from the root, directory by
 * directory. No process has a directory of its own: a path without a leading
 * slash means the same as one with.
 */
#define PATH_BYTES 1024

/*
 * What can be done to a name, shorter than NAME_BYTES, in a directory;
 * what comes of it is in *to, with a reference. With fs_lock. 0 or -errno.
 */
typedef int dir_fn(struct inode *dir, const char *name, struct inode **to);

dir_fn dir_find;
dir_fn dir_open; /* a file; if there is nothing it is made */
dir_fn dir_mkdir; /* -EEXIST if there is something */
dir_fn dir_unlink; /* nothing is in *to; a directory only if empty */

/* Do that to the last name of @path, in @fs. May sleep. */
int path_do(dir_fn *what, struct ext2 *fs, const char *path, struct inode **to);
