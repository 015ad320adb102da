/* SPDX-License-Identifier: MIT */
#ifndef GUEST_FS_IMAGE_H
#define GUEST_FS_IMAGE_H

#include "guest/fs/inode.h"

/* The file system of the kernel image, once made. Panics without memory. */
extern struct file_system image_fs;
void image_mount(void);

#endif
