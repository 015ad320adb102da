/* SPDX-License-Identifier: MIT */
/*
 * Pages that begin as bytes of a file: the guest's image, loaded as it is
 * touched. By reads, never by mmap: a file that was cut short after the start
 * is an error of one page here, and would be a SIGBUS there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ept/pager.h"

struct pager_file {
	struct pager base;
	size_t extents;
	struct file_extent extent[];
};

int pager_read(int fd, uint8_t *to, uint64_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pread(fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENODATA;
		to += n;
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* Read the part of @x that lies in the page at @base. */
static int read_extent(const struct file_extent *x, uint64_t base,
		       uint8_t *page)
{
	uint64_t end = x->at.v + x->bytes;
	uint64_t from = x->at.v > base ? x->at.v : base;
	uint64_t to = end < base + PAGE_SIZE ? end : base + PAGE_SIZE;

	if (from >= to)
		return 0;
	return pager_read(x->fd, page + (from - base), to - from,
			  x->offset + (from - x->at.v));
}

static int file_fill(struct pager *p, gfn_t gfn, uint64_t payload, void *page)
{
	struct pager_file *f = (struct pager_file *)p;
	int r = 0;

	(void)payload;
	memset(page, 0, PAGE_SIZE);
	for (size_t i = 0; i < f->extents && !r; i++)
		r = read_extent(&f->extent[i], gpa_of(gfn).v, page);
	return r;
}

static void file_destroy(struct pager *p)
{
	struct pager_file *f = (struct pager_file *)p;

	for (size_t i = 0; i < f->extents; i++)
		close(f->extent[i].fd);
	free(f);
}

static const struct pager_ops file_ops = {
	.name = "file",
	.source = TRACE_SOURCE_FILE,
	.fill = file_fill,
	.destroy = file_destroy,
};

int pager_file_create(struct pager **out, const struct file_extent *extents,
		      size_t n)
{
	struct pager_file *f = malloc(sizeof(*f) + n * sizeof(*extents));

	if (!f)
		return -ENOMEM;
	*f = (struct pager_file){ .base.ops = &file_ops };
	for (; f->extents < n; f->extents++) {
		struct file_extent *x = &f->extent[f->extents];

		*x = extents[f->extents];
		x->fd = fcntl(x->fd, F_DUPFD_CLOEXEC, 0);
		if (x->fd < 0) {
			int r = -errno;

			file_destroy(&f->base);
			return r;
		}
	}
	*out = &f->base;
	return 0;
}
