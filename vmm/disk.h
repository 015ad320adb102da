/* SPDX-License-Identifier: MIT */
/* The host's side of a disk: a raw image file or a block device. */
#ifndef VMM_DISK_H
#define VMM_DISK_H

#include "vmm/options.h"

struct disk {
	int fd; /* -1: it has yet to be made */
	uint64_t bytes; /* a multiple of 512 */
	bool block; /* a block device */
};

/*
 * Open what @o names, and lock it: one writer, or any number of readers, over
 * all processes. False: one line in *why.
 */
bool disk_open(struct disk *d, const struct disk_option *o,
	       struct complaint *why);

/*
 * The part that may take long: replace *fd by an unnamed copy of it, if @o is
 * to be a copy, or -1 by an unnamed file of zeros. 0 or -errno; *fd stays.
 */
int disk_make(const struct disk_option *o, int *fd);

/*
 * What the sample guest has without any --disk: its image, if that lies beside
 * the program, as a private copy, and a scratch disk. Else nothing. False: one
 * line in *why.
 */
bool disk_defaults(struct run_options *o, struct complaint *why);

#endif
