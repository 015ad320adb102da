/* SPDX-License-Identifier: MIT */
/*
 * Frames of the kernel image in a program: the gate page, and the programs
 * that lie in it. They are borrowed: mapped without a copy, never counted, and
 * copied at the first write.
 */
#ifndef GUEST_MM_IMAGE_H
#define GUEST_MM_IMAGE_H

#include "guest/mm/vma.h"

/* vma.offset is the image's frame number. */
extern const struct vma_ops image_ops;

#endif
