/* SPDX-License-Identifier: MIT */
/* Starting programs: a new space takes the place of the old one. */
#include "guest/proc/process.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/tlb.h"
#include "guest/fs/ext2.h"
#include "guest/lib/base.h"
#include "guest/lib/format.h"
#include "guest/proc/syscall.h"

/* On the root, or if it has none like that, in the kernel image. */
static int find(const char *path, struct inode **to)
{
	int error = path_do(dir_find, root_fs, path, to);

	return error == -ENOENT ? path_do(dir_find, image_fs, path, to) : error;
}

/* All of @file, a stack with the arguments at its top; registers in *f. */
static int fill(struct space *s, struct inode *file, const char *text,
		size_t bytes, struct trap_frame *f)
{
	const struct vma stack = {
		.start = STACK_TOP - STACK_MAX,
		.end = STACK_TOP,
		.prot = PROT_READ | PROT_WRITE,
		.kind = VMA_STACK,
	};
	int error = elf_load(s, file, &f->rip);

	if (!error)
		error = space_map(s, stack);
	f->rdi = STACK_TOP - bytes;
	f->rsi = bytes;
	f->rsp = f->rdi & ~15ul;
	return error ? error : user_write(s, f->rdi, text, bytes);
}

int process_exec(const char *path, const char *text, size_t bytes)
{
	struct process *p = current();
	struct trap_frame f = {
		.cs = USER_CS,
		.rflags = RFLAGS_IF,
		.ss = USER_SS,
	};
	struct space *old = p->space, *s;
	struct inode *file;
	int error = find(path, &file);

	if (error)
		return error;
	s = space_new();
	error = s ? fill(s, file, text, bytes, &f) : -ENOMEM;
	inode_put(file);
	if (error && s)
		space_free(s);
	if (error)
		return error;
	/* The old one is left before it ends: nobody may stand in it. */
	p->space = s;
	tlb_load(s);
	if (old)
		space_free(old);
	p->catch = 0;
	process_set_bases(0, 0);
	format(p->name, sizeof(p->name), "%s", last_part(path));
	*process_frame(p) = f;
	return 0;
}

int64_t sys_exec(const struct trap_frame *f)
{
	struct space *s = current()->space;
	char path[NAME_BYTES];
	struct frame *page;
	int64_t error = user_string(s, path, f->rdi, sizeof(path));

	if (error < 0)
		return error;
	if (f->rdx > PAGE_SIZE)
		return -E2BIG;
	page = frame_alloc(FRAME_KERNEL);
	if (!page)
		return -ENOMEM;
	error = user_read(s, frame_bytes(page), f->rsi, f->rdx);
	if (!error)
		error = process_exec(path, frame_bytes(page), f->rdx);
	frame_put(page);
	return error;
}
