/* SPDX-License-Identifier: MIT */
#ifndef GUEST_FS_IMAGE_H
#define GUEST_FS_IMAGE_H

#include "guest/fs/inode.h"

/* Make the file system of the kernel image. Panics without memory. */
struct file_system *image_mount(void);

#endif
