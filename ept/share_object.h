/* SPDX-License-Identifier: MIT */
/*
 * A shared memory object that all VMs of one user find by the file it is a
 * copy of. It lies in /dev/shm, for its owner only, named after the user and
 * the file's device, inode, size and time: another file, or the same one
 * changed, is another object.
 *
 * Each VM holds a lock on it (flock, shared); who removes a name holds it
 * alone. So the last one removes the name, and a new one removes what killed
 * VMs left behind.
 */
#ifndef EPT_SHARE_OBJECT_H
#define EPT_SHARE_OBJECT_H

#include <stdint.h>
#include <sys/stat.h>

struct share_object {
	int fd;
	char name[160]; /* its path; "": it is our own, because of: */
	int alone; /* -errno; 0: others may share it */
};

/*
 * Open the copy of the file that @file describes, of @bytes, sparse if it is
 * new. Where that cannot be, or others could have written to what is there, it
 * is one of our own. 0 or -errno.
 */
int share_object_open(struct share_object *o, const struct stat *file,
		      uint64_t bytes);
void share_object_close(struct share_object *o);

/* Bytes of host memory that it takes, as the kernel counts. */
uint64_t share_object_bytes(const struct share_object *o);

#endif
