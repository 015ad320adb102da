/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ept/pager_share.h"
#include "ept/uffd.h"

/* The bits lie behind the file's pages. */
static uint64_t bitmap_at(const struct share *s)
{
	return s->pages << PAGE_SHIFT;
}

static uint64_t bitmap_bytes(const struct share *s)
{
	return (s->pages / 8 + PAGE_SIZE) & ~PAGE_MASK;
}

/* A page's bit is set when its bytes are there, and seen before them. */
static bool is_filled(const struct share *s, uint64_t page)
{
	return __atomic_load_n(&s->filled[page / 64], __ATOMIC_ACQUIRE) >>
		       page % 64 &
	       1;
}

static void set_filled(struct share *s, uint64_t page)
{
	__atomic_fetch_or(&s->filled[page / 64], UINT64_C(1) << page % 64,
			  __ATOMIC_RELEASE);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Asked behind each read: a write changes the time before it changes bytes. */
static bool is_unchanged(const struct share *s)
{
	struct stat now;

	return !fstat(s->file, &now) && now.st_size == s->was.st_size &&
	       same_time(now.st_mtim, s->was.st_mtim);
}

static int share_fill(struct pager *p, gfn_t gfn, uint64_t payload, void *page)
{
	struct share *s = (struct share *)p;
	uint64_t at = (gfn.v - s->first.v) << PAGE_SHIFT;
	uint64_t len = (uint64_t)s->was.st_size - at;
	int r;

	(void)payload;
	if (is_filled(s, at >> PAGE_SHIFT))
		return PAGER_FOUND;
	if (len > PAGE_SIZE)
		len = PAGE_SIZE;
	memset((uint8_t *)page + len, 0, PAGE_SIZE - len);
	r = pager_read(s->file, page, len, at);
	return r ? r : is_unchanged(s) ? 0 : -ESTALE;
}

static int write_page(int fd, const uint8_t *from, uint64_t at)
{
	for (uint64_t done = 0; done < PAGE_SIZE;) {
		ssize_t n = pwrite(fd, from + done, PAGE_SIZE - done,
				   (off_t)(at + done));

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (uint64_t)n : 0;
	}
	return 0;
}

/* A page without its bit is there: another VM has just made it, with the same
 * bytes, or died before it could say so; or the page is nothing but room that
 * a guest's access made when its VM ended. */
static int install_over(struct share *s, uint64_t page, int uffd, void *at,
			const void *bytes)
{
	int r = write_page(s->object.fd, bytes, page << PAGE_SHIFT);

	if (!r)
		uffd_continue(uffd, at, PAGE_SIZE, PAGE_SIZE, &r);
	return r;
}

static bool is_full(const struct share *s)
{
	struct statfs f;

	return !fstatfs(s->object.fd, &f) && f.f_blocks && !f.f_bavail;
}

int share_install(struct share *s, gfn_t g, int uffd, void *at,
		  const void *bytes)
{
	uint64_t page = g.v - s->first.v;
	int r = uffd_create(uffd, at, bytes);

	if (r == -EEXIST)
		r = install_over(s, page, uffd, at, bytes);
	if (r == -ENOMEM && is_full(s))
		return -ENOSPC;
	if (!r)
		set_filled(s, page);
	return r;
}

bool share_has(const struct share *s, gfn_t g)
{
	return is_filled(s, g.v - s->first.v);
}

static int map_bits(struct share *s)
{
	s->filled = mmap(NULL, bitmap_bytes(s), PROT_READ | PROT_WRITE,
			 MAP_SHARED, s->object.fd, (off_t)bitmap_at(s));
	return s->filled == MAP_FAILED ? -errno : 0;
}

/* A pipe or a device would have no bytes to share, and could block. */
static int open_file(struct share *s, const char *path)
{
	s->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (s->file < 0)
		return -errno;
	if (fstat(s->file, &s->was))
		return -errno;
	if (!S_ISREG(s->was.st_mode))
		return S_ISDIR(s->was.st_mode) ? -EISDIR : -EINVAL;
	s->pages = ((uint64_t)s->was.st_size + PAGE_MASK) >> PAGE_SHIFT;
	return s->pages ? 0 : -ENODATA;
}

static void share_destroy(struct pager *p)
{
	share_close((struct share *)p);
}

static const struct pager_ops share_ops = {
	.name = "share",
	.source = TRACE_SOURCE_FILE,
	.fill = share_fill,
	.destroy = share_destroy,
};

int share_open(struct share **out, const char *path)
{
	struct share *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->base.ops = &share_ops;
	r = open_file(s, path);
	if (r)
		goto undo_file;
	r = share_object_open(&s->object, &s->was,
			      bitmap_at(s) + bitmap_bytes(s));
	if (r)
		goto undo_file;
	r = map_bits(s);
	if (!r) {
		*out = s;
		return 0;
	}
	share_object_close(&s->object);
undo_file:
	if (s->file >= 0)
		close(s->file);
	free(s);
	return r;
}

void share_close(struct share *s)
{
	munmap(s->filled, bitmap_bytes(s));
	share_object_close(&s->object);
	close(s->file);
	free(s);
}
