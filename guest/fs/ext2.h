/* SPDX-License-Identifier: MIT */
/*
 * The second extended file system (Card, Ts'o, Tweedie 1994), revision 1, with
 * blocks of 4 KiB: what mke2fs makes and e2fsck checks.
 */
#ifndef GUEST_FS_EXT2_H
#define GUEST_FS_EXT2_H

#include "guest/fs/block.h"
#include "guest/fs/inode.h"

/*
 * Mount what is on @disk, in *to. -EINVAL: that is no ext2; -ENOSYS: it has
 * features that we must not ignore; -EIO, -ENOMEM. May sleep.
 */
int ext2_mount(struct block_device *disk, struct file_system **to);

#endif
