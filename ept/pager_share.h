/* SPDX-License-Identifier: MIT */
/*
 * A file that several VMs have as read-only memory, with one physical copy of
 * it on the host. The copy is a shared memory object, sparse at first:
 *
 *     | page 0 | page 1 |  ...  | page n-1 |  one bit a page: it is filled  |
 *      0                                    n * PAGE_SIZE
 *
 * Who touches a page first reads it from the file and sets its bit; the others
 * find it there. A page comes into being with all its bytes (UFFDIO_COPY), and
 * nobody looks at one without its bit: so two that fill the same page at once
 * write the same bytes, one that dies on the way leaves a page that is filled
 * again, and none is ever seen half filled.
 *
 * The object outlives what one VM drops: it is one copy for all, and so under
 * nobody's resident cap.
 */
#ifndef EPT_PAGER_SHARE_H
#define EPT_PAGER_SHARE_H

#include "ept/pager.h"
#include "ept/share_object.h"

struct share {
	struct pager base; /* fills pages from `first` on */
	gfn_t first; /* set by the owner */
	uint64_t pages; /* the file's; the last one's tail is zeros */
	int file;
	struct stat was; /* the file when it was opened */
	struct share_object object;
	uint64_t *filled; /* the bits, shared */
};

/* Share the file at @path. 0; -EISDIR, -ENODATA (it is empty), -EINVAL (no
 * regular file), or another -errno of opening it; then nothing stays. */
int share_open(struct share **out, const char *path);
/* After the stage 2 that uses it. */
void share_close(struct share *s);

/* Page @g, which fill() has read into @bytes, comes into being for everybody
 * and is mapped at @at, which @uffd watches. 0 or -errno; -ENOSPC: the object's
 * file system is full. Any thread. */
int share_install(struct share *s, gfn_t g, int uffd, void *at,
		  const void *bytes);

/* Are page @g's bytes in the copy? */
bool share_has(const struct share *s, gfn_t g);

#endif
