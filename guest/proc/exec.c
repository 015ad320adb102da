/* SPDX-License-Identifier: MIT */
#include "guest/proc/exec.h"

#include "guest/cpu/cpu.h"
#include "guest/cpu/tlb.h"
#include "guest/fs/ext2.h"
#include "guest/fs/path.h"
#include "guest/lib/errno.h"
#include "guest/lib/format.h"
#include "guest/lib/string.h"
#include "guest/mm/user.h"
#include "guest/proc/elf.h"
#include "guest/proc/program.h"

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

/* The old space is left before it ends: a processor may not stand in it. */
static void replace_space(struct process *p, struct space *s)
{
	struct space *old = p->space;

	p->space = s;
	if (p == current())
		tlb_load(s);
	if (old)
		space_free(old);
}

/* The registers still have what the old program put there. */
static void clear_bases(struct process *p)
{
	if (p == current() && p->fs_base)
		wrmsr(MSR_FS_BASE, 0);
	if (p == current() && p->gs_base)
		wrmsr(MSR_GS_BASE, 0);
	p->fs_base = p->gs_base = 0;
}

/* On the root, or if it has none like that, in the kernel image. */
static int find_path(const char *path, struct inode **to)
{
	int error = path_do(dir_find, root_fs, path, to);

	return error == -ENOENT ? path_do(dir_find, image_fs, path, to) : error;
}

/* A name is that of a program in /bin; anything with a slash is a path. */
static int find(const char *name, struct inode **to)
{
	char path[NAME_BYTES + sizeof("/bin/")];
	const char *at = name;

	while (*at && *at != '/')
		at++;
	if (*at)
		return find_path(name, to);
	format(path, sizeof(path), "/bin/%s", program_of(name));
	return find_path(path, to);
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

static const char *last_part(const char *name)
{
	const char *part = name;

	for (; *name; name++)
		if (*name == '/')
			part = name + 1;
	return part;
}

int process_exec(struct process *p, const char *name, const struct arguments *a)
{
	struct trap_frame f = {
		.cs = USER_CS,
		.rflags = RFLAGS_IF,
		.ss = USER_SS,
	};
	struct inode *file;
	struct space *s;
	int error = find(name, &file);

	if (error)
		return error;
	s = space_new();
	if (s && p->space)
		s->limit = p->space->limit;
	error = s ? fill(s, file, a, &f) : -ENOMEM;
	inode_put(file);
	if (error && s)
		space_free(s);
	if (error)
		return error;
	replace_space(p, s);
	p->catch = 0;
	clear_bases(p);
	strlcpy(p->name, last_part(name), sizeof(p->name));
	*process_frame(p) = f;
	return 0;
}
