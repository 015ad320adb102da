/* SPDX-License-Identifier: MIT */
/*
 *     | guard |        guest mapping        | guard |
 *     |PROT_  |  frame 0, 1, 2, ...         | PROT_ |
 *     | NONE  |                             | NONE  |
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ept/backing.h"
#include "ept/linux_new.h"

#define GUARD (UINT64_C(2) << 20)

static int memfd(unsigned shift)
{
	unsigned flags = MFD_CLOEXEC;
	int fd;

	if (shift > PAGE_SHIFT)
		flags |= MFD_HUGETLB | shift << MFD_HUGE_SHIFT;
	fd = memfd_create("guest-ram", flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("guest-ram", flags);
	return fd;
}

/* Of a mapping of @bytes and a guard more, keep what begins at a multiple of
 * GUARD: huge pages want that, and KVM's own large pages like it. */
static uint8_t *trim(uint8_t *at, uint64_t bytes)
{
	uint64_t before = -(uintptr_t)at & (GUARD - 1);

	if (before)
		munmap(at, before);
	munmap(at + before + bytes, GUARD - before);
	return at + before;
}

/* Guest memory is no business of a core file, and a huge page would hide
 * faults of its other 511 pages. */
static void advise(uint8_t *at, uint64_t bytes)
{
	madvise(at, bytes, MADV_DONTDUMP);
	madvise(at, bytes, MADV_NOHUGEPAGE);
}

/* Map the memfd between two guards. MAP_FAILED on error. */
static uint8_t *map_guarded(int fd, uint64_t bytes)
{
	const int flags = MAP_NORESERVE | MAP_FIXED | MAP_SHARED;
	uint8_t *hole =
		mmap(NULL, bytes + 3 * GUARD, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (hole == MAP_FAILED)
		return MAP_FAILED;
	hole = trim(hole, bytes + 2 * GUARD);
	if (mmap(hole + GUARD, bytes, PROT_READ | PROT_WRITE, flags, fd, 0) ==
	    MAP_FAILED) {
		munmap(hole, bytes + 2 * GUARD);
		return MAP_FAILED;
	}
	advise(hole + GUARD, bytes);
	return hole + GUARD;
}

static void unmap_guarded(uint8_t *at, uint64_t bytes)
{
	munmap(at - GUARD, bytes + 2 * GUARD);
}

int backing_create(struct backing *b, uint64_t frames, unsigned shift,
		   bool lock)
{
	uint64_t bytes = frames << shift;
	int r;

	*b = (struct backing){ .fd = memfd(shift),
			       .frames = frames,
			       .shift = shift };
	if (b->fd < 0)
		return -errno;
	if (ftruncate(b->fd, (off_t)bytes))
		goto undo_fd;
	b->guest = map_guarded(b->fd, bytes);
	if (b->guest == MAP_FAILED)
		goto undo_fd;
	b->alias = map_guarded(b->fd, bytes);
	if (b->alias == MAP_FAILED)
		goto undo_guest;
	/* Nobody swaps huge pages out, and mlock2 would populate them. */
	b->locked = shift > PAGE_SHIFT ||
		    (lock && mlock2(b->guest, bytes, MLOCK_ONFAULT) == 0);
	return 0;

undo_guest:
	r = -errno;
	unmap_guarded(b->guest, bytes);
	close(b->fd);
	return r;
undo_fd:
	r = -errno;
	close(b->fd);
	return r;
}

void backing_destroy(struct backing *b)
{
	unmap_guarded(b->guest, backing_span(b, b->frames));
	unmap_guarded(b->alias, backing_span(b, b->frames));
	close(b->fd);
}

int backing_lay(struct backing *b, frame_t first, uint64_t frames, int fd)
{
	const uint64_t bytes = backing_span(b, frames);
	uint8_t *const at[] = { backing_guest(b, first),
				backing_alias(b, first) };

	for (unsigned i = 0; i < 2; i++) {
		if (mmap(at[i], bytes, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
			 0) == MAP_FAILED)
			return -errno;
		advise(at[i], bytes);
	}
	if (b->locked)
		mlock2(at[0], bytes, MLOCK_ONFAULT);
	return 0;
}

int backing_unmap(struct backing *b, frame_t first, uint64_t frames)
{
	return madvise(backing_guest(b, first), backing_span(b, frames),
		       b->locked ? MADV_DONTNEED_LOCKED : MADV_DONTNEED)
		       ? -errno
		       : 0;
}

int backing_take(struct backing *b, frame_t f)
{
	int r;

	do {
		r = fallocate(b->fd, 0, (off_t)backing_span(b, f.v),
			      (off_t)backing_span(b, 1));
	} while (r && errno == EINTR);
	return r ? -errno : 0;
}

int backing_punch(struct backing *b, frame_t first, uint64_t frames)
{
	int r;

	do {
		r = fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)backing_span(b, first.v),
			      (off_t)backing_span(b, frames));
	} while (r && errno == EINTR);
	return r ? -errno : 0;
}

int backing_read(const struct backing *b, frame_t first, uint64_t frames,
		 void *to)
{
	uint64_t at = backing_span(b, first.v);
	uint64_t left = backing_span(b, frames);
	uint8_t *next = to;

	while (left) {
		ssize_t n = pread(b->fd, next, left, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		next += n;
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return 0;
}

uint64_t backing_bytes(const struct backing *b)
{
	struct stat st;

	return fstat(b->fd, &st) ? 0 : (uint64_t)st.st_blocks * 512;
}
