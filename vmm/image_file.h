/* SPDX-License-Identifier: MIT */
/*
 * A file that may be anything at all, read by pread. Nothing is allocated by
 * its word, and what was read once is not read again.
 */
#ifndef VMM_IMAGE_FILE_H
#define VMM_IMAGE_FILE_H

#include "vmm/options.h"

/* All formats are told by what they have here. */
#define IMAGE_HEAD 8192u

struct image_file {
	int fd; /* -1: not open */
	uint64_t bytes;
	uint8_t head[IMAGE_HEAD];
	size_t head_bytes; /* of head, read */
};

/* Open the regular file @path, which is not empty, and read its head. False:
 * a reason in *why, without the file's name; it may be open. */
bool image_file_open(struct image_file *f, const char *path,
		     struct complaint *why);

/* All @len bytes at @at. False: a reason in *why. */
bool image_file_read(struct image_file *f, uint64_t at, void *to, size_t len,
		     struct complaint *why);

#endif
