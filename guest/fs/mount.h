/* SPDX-License-Identifier: MIT */
#ifndef GUEST_FS_MOUNT_H
#define GUEST_FS_MOUNT_H

/* Mount the root: ext2 on the first disk that has it, else the kernel image;
 * and begin to write back what is dirty, now and then. May sleep. */
void fs_mount(void);

/* The run ends: leave the disk in order. */
void fs_unmount(void);

#endif
