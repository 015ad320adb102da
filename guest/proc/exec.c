/* SPDX-License-Identifier: MIT */
#include "guest/proc/exec.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/tlb.h"
#include "guest/fs/ext2.h"
#include "guest/fs/path.h"
#include "guest/lib/errno.h"
#include "guest/lib/string.h"
#include "guest/mm/frame.h"
#include "guest/mm/user.h"
#include "guest/proc/elf.h"
#include "guest/proc/process.h"
#include "guest/proc/syscall.h"

int arguments_add(struct arguments *a, const char *text)
{
	size_t n = strlen(text) + 1;

	if (n > ARGUMENT_BYTES - a->bytes)
		return -E2BIG;
	memcpy(a->text + a->bytes, text, n);
	a->bytes += n;
	a->count++;
	return 0;
}

static int push(struct space *s, uintptr_t *at, uint64_t word)
{
	int error = user_write(s, *at, &word, sizeof(word));

	*at += sizeof(word);
	return error;
}

/*
 * The top of the stack as a program finds it: argc, the pointers of argv, a
 * NULL, and above them the strings. *rsp is where argc lies.
 */
static int push_arguments(struct space *s, const struct arguments *a,
			  uintptr_t *rsp)
{
	uintptr_t text = STACK_TOP - a->bytes;
	uintptr_t at = (text - (a->count + 2) * sizeof(uint64_t)) & ~15ul;
	int error = user_write(s, text, a->text, a->bytes);

	*rsp = at;
	if (!error)
		error = push(s, &at, a->count);
	for (uint64_t i = 0; !error && i < a->count; i++) {
		error = push(s, &at, text);
		text += strlen(a->text + (text - (STACK_TOP - a->bytes))) + 1;
	}
	return error ? error : push(s, &at, 0);
}

static int add_stack(struct space *s)
{
	struct vma stack = {
		.start = STACK_TOP - STACK_MAX,
		.end = STACK_TOP,
		.prot = PROT_READ | PROT_WRITE,
		.kind = VMA_STACK,
	};

	return space_map(s, stack);
}

/* On the root, or if it has none like that, in the kernel image. */
static int find(const char *path, struct inode **to)
{
	int error = path_do(dir_find, root_fs, path, to);

	return error == -ENOENT ? path_do(dir_find, image_fs, path, to) : error;
}

/* All of @file, a stack with the arguments; registers in *f. */
static int fill(struct space *s, struct inode *file, const struct arguments *a,
		struct trap_frame *f)
{
	int error = elf_load(s, file, &f->rip, &s->heap);

	s->heap_end = s->heap;
	if (!error)
		error = add_stack(s);
	return error ? error : push_arguments(s, a, &f->rsp);
}

int process_exec(const char *path, const struct arguments *a)
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
	if (s && old)
		s->limit = old->limit;
	error = s ? fill(s, file, a, &f) : -ENOMEM;
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
	process_set_fs(0);
	strlcpy(p->name, last_part(path), sizeof(p->name));
	*process_frame(p) = f;
	return 0;
}

/* A string of the program's behind the others of *@a. */
static int add_from_user(struct arguments *a, uintptr_t from)
{
	char *to = a->text + a->bytes;
	int64_t n = user_string(current()->space, to, from,
				ARGUMENT_BYTES - a->bytes);

	if (n < 0)
		return n == -ENAMETOOLONG ? -E2BIG : (int)n;
	a->bytes += (size_t)n + 1;
	a->count++;
	return 0;
}

static int collect(struct arguments *a, uintptr_t argv)
{
	for (;; argv += sizeof(uintptr_t)) {
		uintptr_t text;
		int error =
			user_read(current()->space, &text, argv, sizeof(text));

		if (error || !text)
			return error;
		error = add_from_user(a, text);
		if (error)
			return error;
	}
}

int64_t sys_exec(const struct trap_frame *f)
{
	struct frame *page = frame_alloc(FRAME_KERNEL);
	struct arguments *a;
	char name[NAME_BYTES];
	int64_t error;

	if (!page)
		return -ENOMEM;
	a = direct(frame_pa(page));
	error = user_string(current()->space, name, f->rdi, sizeof(name));
	if (error >= 0)
		error = collect(a, f->rsi);
	if (!error)
		error = process_exec(name, a);
	frame_put(page);
	return error;
}
