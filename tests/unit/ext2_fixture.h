/* SPDX-License-Identifier: MIT */
/* A program's calls on an ext2 disk, by path. */
#ifndef TESTS_UNIT_EXT2_FIXTURE_H
#define TESTS_UNIT_EXT2_FIXTURE_H

#include "tests/unit/guest_disk.h"

#define KIB 1024ul
#define MIB (1024 * KIB)

static inline int find(const char *path, struct inode **to)
{
	return path_do(dir_find, root_fs, path, to);
}

static inline struct inode *found(const char *path)
{
	struct inode *i;

	assert_int_equal(find(path, &i), 0);
	return i;
}

static inline int do_and_put(dir_fn *what, const char *path)
{
	struct inode *i = NULL;
	int error = path_do(what, root_fs, path, &i);

	if (!error && i)
		inode_put(i);
	return error;
}

/* A file that is there already stays as it is. */
static inline int make_file(const char *path)
{
	return do_and_put(dir_open, path);
}

static inline int make_dir(const char *path)
{
	return do_and_put(dir_mkdir, path);
}

static inline int remove_path(const char *path)
{
	return do_and_put(dir_unlink, path);
}

static inline int64_t write_at(const char *path, uint64_t at, const void *from,
			       size_t n)
{
	struct inode *i;
	int64_t done = find(path, &i);

	if (done)
		return done;
	done = inode_copy(i, at, NULL, (uintptr_t)from, n, true);
	inode_put(i);
	return done;
}

static inline int64_t read_at(const char *path, uint64_t at, void *to, size_t n)
{
	struct inode *i;
	int64_t done = find(path, &i);

	if (done)
		return done;
	done = inode_copy(i, at, NULL, (uintptr_t)to, n, false);
	inode_put(i);
	return done;
}

static inline int empty(const char *path)
{
	struct inode *i;
	int error = find(path, &i);

	if (error)
		return error;
	error = inode_empty(i);
	inode_put(i);
	return error;
}

static inline uint64_t file_frames(void)
{
	frame_drain();
	return counts.frames[FRAME_FILE];
}

/* Of the next entry that is in use. Whatever it says of its size is believed
 * only as far as there is room. */
static inline bool next_name(struct inode *dir, uint64_t *at,
			     char name[NAME_BYTES])
{
	union {
		struct ext2_entry entry;
		char bytes[sizeof(struct ext2_entry) + NAME_BYTES];
	} room = { 0 };
	const struct ext2_entry *e = &room.entry;

	do {
		if (inode_copy(dir, *at, NULL, (uintptr_t)&room, sizeof(room),
			       false) <= 0 ||
		    e->bytes < sizeof(*e))
			return false;
		*at += e->bytes;
	} while (!e->inode);
	memcpy(name, e->name, e->name_bytes);
	name[e->name_bytes] = '\0';
	return true;
}

#endif
