/* SPDX-License-Identifier: MIT */
/* The system calls of memory: what their arguments mean. */
#include "guest/proc/syscall.h"

#include "guest/fs/file.h"
#include "guest/lib/base.h"
#include "guest/mm/anon.h"
#include "guest/mm/reclaim.h"
#include "guest/proc/process.h"

/* What of its pages @want may show, and do with them. */
static int map_file(struct vma *want, uint64_t fd, uint64_t offset)
{
	bool shared = want->flags & MAP_SHARED;
	struct file *file = files_at(fd);

	if (!file)
		return -EBADF;
	if (!file->inode)
		return -ENODEV;
	if (page_offset(offset) || offset > file->inode->bytes ||
	    want->end - want->start > page_up(file->inode->bytes - offset))
		return -EINVAL;
	if (!(file->flags & OPEN_READ))
		return -EACCES;
	if (shared && !(file->flags & OPEN_WRITE)) {
		if (want->prot & PROT_WRITE)
			return -EACCES;
		want->flags |= VMA_READ_ONLY;
	}
	want->kind = VMA_FILE;
	want->mapping = &file->inode->pages;
	want->shift = offset >> PAGE_SHIFT;
	return 0;
}

/* Memory of its own, which the area will hold. */
static int map_shared(struct vma *want)
{
	size_t bytes = want->end - want->start;

	if (!bytes || bytes > USER_END)
		return -EINVAL;
	want->kind = VMA_SHARED;
	want->mapping = shared_new(page_up(bytes) >> PAGE_SHIFT);
	return want->mapping ? 0 : -ENOMEM;
}

int64_t sys_mmap(const struct trap_frame *f)
{
	struct vma want = {
		.start = f->rdi,
		.end = f->rdi + f->rsi,
		.prot = (unsigned)f->rdx,
		.flags = f->r10 &
			 (MAP_FIXED | MAP_POPULATE | MAP_SHARED | MAP_FILE),
		.kind = VMA_ANON,
		.file_end = FILE_ALL,
	};
	int64_t got = 0;

	if (f->rdx & ~(uint64_t)PROT_ALL)
		return -EINVAL;
	if (broken("shared"))
		want.flags &= ~(unsigned)MAP_SHARED;
	if (want.flags & MAP_FILE)
		got = map_file(&want, f->r8, f->r9);
	else if (want.flags & MAP_SHARED)
		got = map_shared(&want);
	if (!got)
		got = space_mmap(current()->space, want);
	if (want.kind == VMA_SHARED && want.mapping)
		want.mapping->ops->release(want.mapping);
	return got;
}

int64_t sys_munmap(const struct trap_frame *f)
{
	return space_munmap(current()->space, f->rdi, f->rsi);
}

int64_t sys_mprotect(const struct trap_frame *f)
{
	return space_mprotect(current()->space, f->rdi, f->rsi,
			      (unsigned)f->rdx);
}

int64_t sys_sbrk(const struct trap_frame *f)
{
	return space_brk(current()->space, (int64_t)f->rdi);
}

int64_t sys_madvise(const struct trap_frame *f)
{
	return space_madvise(current()->space, f->rdi, f->rsi,
			     (unsigned)f->rdx);
}

int64_t sys_limit(const struct trap_frame *f)
{
	if (f->rdi && f->rdi < frames_used())
		return -EINVAL; /* others would have to die */
	return (int64_t)frame_limit(f->rdi);
}

int64_t sys_reclaim(const struct trap_frame *f)
{
	frame_drain();
	return reclaim_pass((unsigned)f->rdi);
}
