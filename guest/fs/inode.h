/* SPDX-License-Identifier: MIT */
/*
 * An inode: a file, without its name. There is one struct for each that is in
 * use or has pages in the cache, however often it is open.
 *
 *	path ---> inode (this) <--- struct file, one per open
 *	            |  pages
 *	            v
 *	          struct mapping: the cache ---> ops: where the bytes are
 *
 * A file system embeds it in its own struct and gives the two tables.
 */
#ifndef GUEST_FS_INODE_H
#define GUEST_FS_INODE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/mm/mapping.h"
#include "guest/mm/space.h"
#include "guest/proc/api.h"

struct file_system;
struct inode;

/*
 * All may sleep; NULL: this file system cannot (-EROFS). @name is one name, at
 * most NAME_BYTES - 1 long. What gives an inode gives a reference with it.
 */
struct inode_ops {
	int (*lookup)(struct inode *dir, const char *name, struct inode **to);
	/* -EEXIST if there is one; @kind: FILE_REGULAR or FILE_DIRECTORY */
	int (*create)(struct inode *dir, const char *name, uint32_t kind,
		      struct inode **to);
	/* a directory only when it is empty */
	int (*unlink)(struct inode *dir, const char *name);
	/* the entry at *at, which moves on: 1, at the end 0 */
	int (*readdir)(struct inode *dir, uint64_t *at, struct sys_dirent *to);
	/* longer: zeros; shorter: the rest is gone */
	int (*resize)(struct inode *i, uint64_t bytes);
	/* at least so long */
	int (*grow)(struct inode *i, uint64_t bytes);
};

struct inode {
	const struct inode_ops *ops;
	struct file_system *fs;
	uint32_t number;
	uint32_t kind; /* FILE_REGULAR or FILE_DIRECTORY */
	uint32_t links;
	uint32_t count; /* who hold it */
	uint64_t bytes, blocks; /* blocks of 512 */
	struct mapping pages;
	struct inode *next; /* all of them */
};

struct file_system_ops {
	/* write all that is dirty; @last: nothing will follow */
	int (*sync)(struct file_system *fs, bool last);
	/* nobody holds @i, and no name leads to it: its blocks are free */
	void (*erase)(struct inode *i);
	/* @i leaves memory */
	void (*free)(struct inode *i);
};

struct file_system {
	const struct file_system_ops *ops;
	const char *name;
	struct inode *root;
};

/* The mounted one. */
extern struct file_system *root_fs;

/* Inode @number of @fs with a reference more if it is in memory, or NULL. */
struct inode *inode_find(struct file_system *fs, uint32_t number);

/* @i, zeros but for number, kind, links and sizes, is now found: count 1. */
void inode_add(struct inode *i, struct file_system *fs,
	       const struct inode_ops *ops, const struct mapping_ops *pages);

/* It has @bytes from now on; what of its pages goes is the caller's. */
void inode_resize(struct inode *i, uint64_t bytes);

void inode_get(struct inode *i);
void inode_put(struct inode *i); /* may sleep */

static inline struct inode *inode_of(struct mapping *m)
{
	return (struct inode *)((char *)m - offsetof(struct inode, pages));
}

/* For mapping_ops: an area that shows a file holds it. */
void inode_hold(struct mapping *m);
void inode_release(struct mapping *m);

/* Write back the pages of all files, then what their file system has. */
int inode_sync_all(bool last);

/* Pages of files that are dirty. */
uint64_t inode_unsaved(void);

/* Forget what nobody holds and has no page in memory. */
void inode_drop_all(void);

/*
 * Bytes [offset, offset + n) from or to @user of @s, through the cache. How
 * many that were, -errno if none. May sleep. Reading stops at the end of the
 * file, writing moves it.
 */
int64_t inode_read(struct inode *i, uint64_t offset, struct space *s,
		   uintptr_t user, size_t n);
int64_t inode_write(struct inode *i, uint64_t offset, struct space *s,
		    uintptr_t user, size_t n);

#endif
