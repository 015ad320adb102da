/* SPDX-License-Identifier: MIT */
/*
 * page-cache, buffer-cache, mmap-file, mmap-read: files, on a disk that can be
 * written to. What mmap-file leaves there is looked at from outside, too.
 */
#include "guest/cpu/cpu.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/user/tour/demo.h"

demo_fn demo_page_cache, demo_buffer_cache, demo_mmap_file, demo_mmap_read;

static char buffer[PAGE_SIZE];

int64_t demo_file(struct demo *d, const char *path, unsigned pages)
{
	int64_t fd = sys_open(path, OPEN_READ | OPEN_WRITE | OPEN_CREATE |
					    OPEN_TRUNCATE);

	if (fd == -EROFS || !demo_can(d, fd, "files"))
		return fd;
	for (unsigned i = 0; i < pages; i++) {
		memset(buffer, 'A' + (int)i % 26, PAGE_SIZE);
		demo_is(d, sys_write((int)fd, buffer, PAGE_SIZE), PAGE_SIZE);
	}
	demo_is(d, sys_sync(), 0);
	sys_drop_caches();
	return fd;
}

/* The same; negative: skipped. */
static int make_file(struct demo *d, const char *path, unsigned pages)
{
	int64_t fd = demo_file(d, path, pages);

	if (fd == -EROFS)
		demo_skip(d, "the guest has no disk to write to");
	return (int)fd;
}

void demo_remove_file(struct demo *d, const char *path, int fd)
{
	sys_close(fd);
	demo_is(d, sys_unlink(path), 0);
	demo_is(d, sys_sync(), 0);
}

/* Read the whole file; every page must begin with its letter. The sum. */
static uint64_t read_through(struct demo *d, int fd, unsigned pages)
{
	uint64_t sum = 0;

	demo_is(d, sys_seek(fd, 0, SEEK_START), 0);
	for (unsigned i = 0; i < pages; i++) {
		demo_is(d, sys_read(fd, buffer, PAGE_SIZE), PAGE_SIZE);
		demo_is(d, buffer[0], 'A' + i % 26);
		for (unsigned at = 0; at < PAGE_SIZE; at += 8)
			sum += *(uint64_t *)(buffer + at);
	}
	return sum;
}

static char byte_at(struct demo *d, int fd, uint64_t offset)
{
	char c = 0;

	demo_is(d, sys_seek(fd, (int64_t)offset, SEEK_START), offset);
	demo_is(d, sys_read(fd, &c, 1), 1);
	return c;
}

static void put_byte(struct demo *d, int fd, uint64_t offset, char c)
{
	demo_is(d, sys_seek(fd, (int64_t)offset, SEEK_START), offset);
	demo_is(d, sys_write(fd, &c, 1), 1);
}

static char *map_file(struct demo *d, int fd, unsigned pages, unsigned flags)
{
	int64_t at = sys_mmap_file(fd, 0, pages * PAGE_SIZE,
				   PROT_READ | PROT_WRITE, flags);

	return demo_true(d, at > 0) ? (char *)at : NULL;
}

#define CACHED "/demo-page-cache"
#define PAGES  8u

void demo_page_cache(struct demo *d)
{
	int fd = make_file(d, CACHED, PAGES);
	struct sys_counts start, first, second;
	volatile char *one, *two;

	if (fd < 0)
		return;
	start = demo_counts();
	read_through(d, fd, PAGES);
	first = demo_counts();
	read_through(d, fd, PAGES);
	second = demo_counts();
	demo_true(d, first.disk_reads - start.disk_reads >= PAGES);
	demo_is(d, first.frames_file - start.frames_file >= PAGES, 1);
	demo_is(d, second.disk_reads - first.disk_reads, 0);
	demo_is(d, second.cache_misses - first.cache_misses, 0);
	demo_is(d, second.cache_hits - first.cache_hits, PAGES);
	demo_note(d,
		  "%u pages read: %lu blocks from the disk; again: 0, %lu hits",
		  PAGES, first.disk_reads - start.disk_reads,
		  second.cache_hits - first.cache_hits);

	one = map_file(d, fd, PAGES, MAP_SHARED);
	two = map_file(d, fd, PAGES, MAP_SHARED);
	if (!one || !two)
		return;
	put_byte(d, fd, 2 * PAGE_SIZE, 'w');
	demo_is(d, one[2 * PAGE_SIZE], 'w');
	two[2 * PAGE_SIZE + 1] = 'm';
	demo_is(d, byte_at(d, fd, 2 * PAGE_SIZE + 1), 'm');
	demo_is(d, demo_walk(one + 2 * PAGE_SIZE).pa,
		demo_walk(two + 2 * PAGE_SIZE).pa);
	demo_is(d, demo_counts().disk_reads, second.disk_reads);
	demo_note(d,
		  "; mapped at %#lx and %#lx: page 2 is frame %#lx for both, "
		  "write and read see the same",
		  (uintptr_t)one, (uintptr_t)two,
		  demo_walk(one + 2 * PAGE_SIZE).pa);
	sys_munmap((uintptr_t)one, PAGES * PAGE_SIZE);
	sys_munmap((uintptr_t)two, PAGES * PAGE_SIZE);
	demo_remove_file(d, CACHED, fd);
}

#define DIRECTORY "/demo-buffer-cache"
#define WITHIN	  DIRECTORY "/file"

static void look_up(struct demo *d)
{
	int64_t fd = sys_open(WITHIN, OPEN_READ);

	demo_true(d, fd >= 0);
	sys_close((int)fd);
}

static void remove_both(struct demo *d)
{
	demo_is(d, sys_unlink(WITHIN), 0);
	demo_is(d, sys_unlink(DIRECTORY), 0);
	demo_is(d, sys_sync(), 0);
}

/*
 * A directory and a file in it: inodes, bitmaps, entries, but no contents, and
 * nothing on the disk yet. Should the write-back thread come just then, again.
 */
static struct sys_counts make_both(struct demo *d)
{
	struct sys_counts start, made;

	for (unsigned try = 0; try < 3; try++) {
		start = demo_counts();
		demo_is(d, sys_mkdir(DIRECTORY), 0);
		sys_close((int)sys_open(WITHIN, OPEN_WRITE | OPEN_CREATE));
		made = demo_counts();
		if (made.disk_writes == start.disk_writes)
			return made;
		remove_both(d);
	}
	demo_is(d, made.disk_writes, start.disk_writes);
	return made;
}

void demo_buffer_cache(struct demo *d)
{
	struct sys_counts made, synced, found, dropped;
	int fd = make_file(d, CACHED, 0);

	if (fd < 0)
		return;
	demo_remove_file(d, CACHED, fd);
	made = make_both(d);
	demo_is(d, sys_sync(), 0);
	synced = demo_counts();
	demo_true(d, synced.disk_writes > made.disk_writes);
	look_up(d);
	found = demo_counts();
	demo_is(d, found.disk_reads, synced.disk_reads);
	demo_true(d, found.cache_hits > synced.cache_hits);
	demo_true(d, sys_drop_caches() > 0);
	dropped = demo_counts();
	demo_true(d, used_frames(&dropped) < used_frames(&found));
	look_up(d);
	demo_true(d, demo_counts().disk_reads > found.disk_reads);
	demo_note(d,
		  "a directory and a file made: 0 blocks written, then by sync "
		  "%lu; found again without a read, %lu hits; caches dropped: "
		  "%lu frames back, then %lu reads",
		  synced.disk_writes - made.disk_writes,
		  found.cache_hits - synced.cache_hits,
		  used_frames(&found) - used_frames(&dropped),
		  demo_counts().disk_reads - found.disk_reads);
	remove_both(d);
}

#define MAPPED	     "/demo-mmap-file"
#define MAPPED_PAGES 3u

void demo_mmap_file(struct demo *d)
{
	int fd = make_file(d, MAPPED, MAPPED_PAGES);
	char *private, *shared;
	uint64_t writes;

	if (fd < 0)
		return;
	private = map_file(d, fd, MAPPED_PAGES, 0);
	shared = map_file(d, fd, MAPPED_PAGES, MAP_SHARED);
	if (!private || !shared)
		return;
	private[0] = 'p';
	shared[PAGE_SIZE] = 's';
	demo_is(d, shared[0], 'A');
	demo_is(d, private[PAGE_SIZE], 's'); /* not copied yet */
	demo_true(d, demo_walk(private).pa != demo_walk(shared).pa);
	writes = demo_counts().disk_writes;
	demo_is(d, sys_msync((uintptr_t)shared, MAPPED_PAGES * PAGE_SIZE), 0);
	writes = demo_counts().disk_writes - writes;
	demo_true(d, writes >= 1);
	demo_note(d,
		  "%s: private write to frame %#lx, shared to %#lx; msync "
		  "wrote %lu blocks",
		  MAPPED, demo_walk(private).pa,
		  demo_walk(shared + PAGE_SIZE).pa, writes);
	demo_is(d, private[0], 'p');
	sys_munmap((uintptr_t) private, MAPPED_PAGES * PAGE_SIZE);
	sys_munmap((uintptr_t)shared, MAPPED_PAGES * PAGE_SIZE);

	sys_drop_caches();
	writes = demo_counts().disk_reads;
	demo_is(d, byte_at(d, fd, 0), 'A');
	demo_is(d, byte_at(d, fd, PAGE_SIZE), 's');
	demo_true(d, demo_counts().disk_reads - writes >= 2);
	demo_note(d, "; on the disk there are 'A' and 's'");
	sys_close(fd);
}

#define SUMMED	     "/demo-mmap-read"
#define SUMMED_PAGES 32u

static uint64_t sum_mapped(const char *at)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SUMMED_PAGES * PAGE_SIZE; i += 8)
		sum += *(const volatile uint64_t *)(at + i);
	return sum;
}

/* Both are timed with the file in the page cache: the disk is another story. */
void demo_mmap_read(struct demo *d)
{
	int fd = make_file(d, SUMMED, SUMMED_PAGES);
	uint64_t by_read, by_map, read_ticks, map_ticks, faults;
	char *at;

	if (fd < 0)
		return;
	read_through(d, fd, SUMMED_PAGES);
	read_ticks = rdtsc();
	by_read = read_through(d, fd, SUMMED_PAGES);
	read_ticks = rdtsc() - read_ticks;

	faults = demo_counts().demand_file;
	map_ticks = rdtsc();
	at = map_file(d, fd, SUMMED_PAGES, MAP_SHARED);
	if (!at)
		return;
	by_map = sum_mapped(at);
	map_ticks = rdtsc() - map_ticks;
	faults = demo_counts().demand_file - faults;
	sys_munmap((uintptr_t)at, SUMMED_PAGES * PAGE_SIZE);
	demo_is(d, by_map, by_read);
	demo_true(d, faults && faults <= SUMMED_PAGES);
	demo_note(d,
		  "%u pages summed to %#lx: by read %lu ticks a page, by mmap "
		  "%lu with %lu faults",
		  SUMMED_PAGES, by_read, read_ticks / SUMMED_PAGES,
		  map_ticks / SUMMED_PAGES, faults);
	demo_remove_file(d, SUMMED, fd);
}
