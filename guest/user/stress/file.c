/* SPDX-License-Identifier: MIT */
/* A file: by write and read, by shared mapping, and both in turn. */
#include "guest/lib/errno.h"
#include "guest/lib/format.h"
#include "guest/user/lib/sys.h"
#include "guest/user/stress/worker.h"

#define THE_FILE AREAS /* what stamps know it by */
#define WORDS	 (PAGE / 8)

static uint64_t buffer[WORDS];

static uint64_t stamp(const struct worker *w, unsigned page)
{
	return worker_stamp(w, THE_FILE, page, w->file_version[page]);
}

static void seek(const struct worker *w, unsigned page)
{
	worker_check(w, "seek",
		     sys_seek(w->fd, (int64_t)(page * PAGE), SEEK_START));
}

static void fill(const struct worker *w, volatile uint64_t *to, unsigned page)
{
	for (unsigned i = 0; i < WORDS; i++)
		to[i] = stamp(w, page) + i;
}

static void verify(const struct worker *w, volatile const uint64_t *from,
		   unsigned page)
{
	for (unsigned i = 0; i < WORDS; i++) {
		uint64_t want = w->file_version[page] ? stamp(w, page) + i : 0;

		if (from[i] != want)
			worker_fail(w, "file", page * PAGE + i * 8, from[i],
				    want);
	}
}

static void next_version(struct worker *w, unsigned page)
{
	if (!++w->file_version[page])
		w->file_version[page]++;
}

static void write_page(struct worker *w, unsigned page)
{
	next_version(w, page);
	fill(w, buffer, page);
	seek(w, page);
	if (sys_write(w->fd, buffer, PAGE) != PAGE)
		worker_fail(w, "write", page * PAGE, 0, PAGE);
}

static void read_page(const struct worker *w, unsigned page)
{
	seek(w, page);
	if (sys_read(w->fd, buffer, PAGE) != PAGE)
		worker_fail(w, "read", page * PAGE, 0, PAGE);
	verify(w, buffer, page);
}

/* What the mapping shows, and what is written to it, is the file. */
static void map_pages(struct worker *w, unsigned page)
{
	int64_t at = sys_mmap_file(w->fd, 0, FILE_PAGES * PAGE,
				   PROT_READ | PROT_WRITE, MAP_SHARED);
	volatile uint64_t *word;

	worker_check(w, "mmap", at);
	word = (volatile uint64_t *)at + page * WORDS;
	verify(w, word, page);
	next_version(w, page);
	fill(w, word, page);
	if (worker_chance(w) % 2)
		worker_check(w, "msync",
			     sys_msync((uint64_t)at, FILE_PAGES * PAGE));
	worker_check(w, "munmap", sys_munmap((uint64_t)at, FILE_PAGES * PAGE));
	read_page(w, page);
}

void file_step(struct worker *w)
{
	unsigned page = (unsigned)(worker_chance(w) % FILE_PAGES);

	if (w->fd < 0)
		return;
	switch (worker_chance(w) % 8) {
	case 0:
	case 1:
	case 2:
		read_page(w, page);
		return;
	case 3:
		map_pages(w, page);
		return;
	case 4:
		if (worker_chance(w) % 8 == 0)
			worker_check(w, "sync", sys_sync());
		else
			sys_drop_caches();
		return;
	default:
		write_page(w, page);
	}
}

/* The file has its length from the beginning, and holes. */
void file_start(struct worker *w)
{
	int64_t fd;

	format(w->path, sizeof(w->path), "/stress-%lu", w->number);
	fd = sys_open(w->path,
		      OPEN_READ | OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE);
	w->fd = (int)fd;
	if (fd == -EROFS || fd == -ENOSYS)
		return;
	worker_check(w, "open", fd);
	worker_check(w, "seek",
		     sys_seek(w->fd, FILE_PAGES * PAGE - 1, SEEK_START));
	worker_check(w, "write", sys_write(w->fd, "", 1) - 1);
}

void file_end(struct worker *w)
{
	if (w->fd < 0)
		return;
	for (unsigned page = 0; page < FILE_PAGES; page++)
		read_page(w, page);
	worker_check(w, "close", sys_close(w->fd));
	worker_check(w, "unlink", sys_unlink(w->path));
}
