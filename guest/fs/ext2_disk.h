/* SPDX-License-Identifier: MIT */
/*
 * What lies on an ext2 disk. All numbers are little-endian; block numbers are
 * from the start of the disk, 0 means none. The disk is cut into groups of
 * blocks, each with its share of the inodes:
 *
 *	| superblock | descriptors | block    | inode  | inode | data ...  |
 *	| (a copy,   | of all      | bitmap   | bitmap | table |           |
 *	|  or none)  | groups      |          |        |       |           |
 *
 * The superblock is 1 KiB into block 0. Only the first copies are used here.
 */
#pragma once

#include <assert.h>

#include "guest/mm/addr.h"
#include "guest/proc/api.h"

#define EXT2_SUPER_AT 1024u
#define EXT2_MAGIC    0xef53
#define EXT2_ROOT     2u

/* What there is a limited number of, and a bitmap in each group. */
enum ext2_what { EXT2_BLOCKS, EXT2_INODES };

struct ext2_super {
	uint32_t inodes, blocks, reserved_blocks;
	uint32_t free[2]; /* by enum ext2_what */
	uint32_t first_block;
	uint32_t log_block_bytes; /* 1024 << this */
	uint32_t log_fragment_bytes;
	uint32_t group_blocks, group_fragments, group_inodes;
	uint32_t mounted_at, written_at;
	uint16_t mounts, most_mounts;
	uint16_t magic;
	uint16_t state; /* EXT2_VALID */
	uint16_t on_error, minor_revision;
	uint32_t checked_at, check_interval, creator, revision;
	uint16_t reserved_uid, reserved_gid;
	/* revision 1 */
	uint32_t first_inode; /* those below are special */
	uint16_t inode_bytes, group;
	uint32_t compatible; /* features that need not be known */
	uint32_t incompatible; /* that must be */
	uint32_t read_only; /* that must be to write */
};

static_assert(sizeof(struct ext2_super) == 104, "up to the features");

enum { EXT2_VALID = 1 };

/* The features we know. */
#define EXT2_INCOMPATIBLE 0x2u /* types in directory entries */
#define EXT2_READ_ONLY	  0x3u /* few superblock copies; large files */
#define EXT2_LARGE_FILE	  0x2u /* there is one of 2 GiB or more */

struct ext2_group {
	uint32_t bitmap[2], inode_table;
	uint16_t free[2], directories, flags;
	uint32_t reserved[3];
};

static_assert(sizeof(struct ext2_group) == 32, "128 in a block");

#define EXT2_GROUPS (PAGE_SIZE / sizeof(struct ext2_group)) /* in a block */

/* Block numbers in an inode: of the file, then of blocks of block numbers. */
#define EXT2_DIRECT   12u
#define EXT2_SLOTS    15u
#define EXT2_POINTERS (PAGE_SIZE / 4) /* in a block */
#define EXT2_PAGES    (12 + (1ul << 10) + (1ul << 20) + (1ul << 30)) /* at most */

struct ext2_inode {
	uint16_t mode, uid;
	uint32_t bytes, accessed_at, changed_at, modified_at, deleted_at;
	uint16_t gid, links;
	uint32_t sectors, flags, reserved;
	uint32_t slot[EXT2_SLOTS];
	uint32_t generation, attributes, bytes_high, fragment;
	uint32_t more[3];
};

static_assert(sizeof(struct ext2_inode) == 128, "its revision 0 size");

enum { EXT2_FILE = 0x8000, EXT2_DIRECTORY = 0x4000, EXT2_TYPE = 0xf000 };
#define EXT2_INDEXED 0x1000u /* flag of a directory: a tree lies in it */

/*
 * A directory is blocks of entries. An entry reaches to the next one, the last
 * to the end of the block; inode 0 is an empty one. No NUL ends the name. So
 * programs read it, too (user/lib/sys.c).
 */
struct ext2_entry {
	uint32_t inode;
	uint16_t bytes; /* a multiple of 4 */
	uint8_t name_bytes, type;
	char name[];
};

enum { FILE_REGULAR = 1, FILE_DIRECTORY }; /* its types */
