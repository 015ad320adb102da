/* SPDX-License-Identifier: MIT */
/*
 * Areas that show a mapping (mm/mapping.h): a file, or shared memory. What is
 * read is the cache's own frame, mapped. A write to a private area gets a copy
 * of the page, as after fork; a write to a shared one makes the page dirty:
 * the right to write comes with that fault, and goes when the page is stored.
 */
#ifndef GUEST_MM_FILEMAP_H
#define GUEST_MM_FILEMAP_H

#include "guest/mm/vma.h"

extern const struct vma_ops private_ops, shared_ops;

#endif
