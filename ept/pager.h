/* SPDX-License-Identifier: MIT */
/*
 * Pagers: where the bytes of a page come from when it is touched and was never
 * in memory. The stage-2 entry of an absent page names its pager. (Pages that
 * left are in swap, which takes and gives whole batches: ept/swap.h.)
 */
#ifndef EPT_PAGER_H
#define EPT_PAGER_H

#include <stddef.h>

#include "ept/addr.h"
#include "ept/trace.h"

struct pager {
	const struct pager_ops *ops;
};

struct pager_ops {
	const char *name;
	enum trace_source source; /* as traces call it */
	/*
	 * Fill @page (PAGE_SIZE bytes) for @gfn; @payload is that of its
	 * stage-2 entry. 0; PAGER_FOUND: its bytes are in memory already, and
	 * @page was not written; or -errno: @page is undefined.
	 * Called without locks, by any thread, for different pages at the
	 * same time; may block. NULL: its pages are zeros.
	 */
	int (*fill)(struct pager *p, gfn_t gfn, uint64_t payload, void *page);
	void (*destroy)(struct pager *p);
};

#define PAGER_FOUND 1

/* Indices of a stage 2's pagers; what an absent page's entry carries. The one
 * of a shared region is PAGER_SHARE plus the region's number. */
enum pager_index { PAGER_ZERO, PAGER_FILE, PAGER_SHARE };

/* Read all of [offset, offset + len) of @fd. 0; -ENODATA: it ends before;
 * -errno. */
int pager_read(int fd, uint8_t *to, uint64_t len, uint64_t offset);

/* Bytes of a file that are guest memory at @at. */
struct file_extent {
	gpa_t at;
	uint64_t bytes;
	int fd; /* of that file: */
	uint64_t offset;
};

/* Anonymous memory. A constant; its destroy does nothing. */
extern struct pager pager_zero;

/* The guest image and the like: @extents of files, read when touched; what
 * they leave of a page is zeros. They and their descriptors are copied. 0 or
 * -errno. */
int pager_file_create(struct pager **out, const struct file_extent *extents,
		      size_t n);

#endif
