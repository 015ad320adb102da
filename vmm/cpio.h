/* SPDX-License-Identifier: MIT */
/*
 * Writes cpio archives in the "newc" format, which the Linux kernel unpacks
 * as its initial file system. Archives may follow one another; each starts at
 * a multiple of 4 bytes. All functions write at @to's file position, which
 * must be such a multiple, and leave it at one. 0 or -errno.
 */
#ifndef VMM_CPIO_H
#define VMM_CPIO_H

#include <stddef.h>
#include <sys/types.h>

/* A file @name of @len bytes. @mode: type and permissions, as in st_mode. */
int cpio_file(int to, const char *name, mode_t mode, const void *bytes,
	      size_t len);

/* A file @name with the bytes of the regular file @from, all of them. */
int cpio_copy(int to, const char *name, mode_t mode, int from);

/* The end of the archive. */
int cpio_end(int to);

/* Append the regular file @from, an archive already, padded with zeros. */
int cpio_append(int to, int from);

#endif
