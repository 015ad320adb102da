/* SPDX-License-Identifier: MIT */
/* The disks that carry the capsule's file swap tiers. */
#ifndef VMM_CAPSULE_DISK_H
#define VMM_CAPSULE_DISK_H

#include "vmm/options.h"

/*
 * Open what the file tier @s lies on: an unnamed, preallocated file of
 * s->size bytes (else @bytes) in the directory s->path, or the block device
 * s->path. -1: one line in *why.
 */
int capsule_disk(const struct swap_option *s, uint64_t bytes,
		 struct complaint *why);

#endif
