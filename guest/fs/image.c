/* SPDX-License-Identifier: MIT */
/*
 * The file system of a machine without a disk: the programs that lie in the
 * kernel image (proc/programs.S), read-only.
 *
 *	/        inode 1
 *	/bin     inode 2
 *	/bin/X   inode 3 + X's place in the image
 */
#include "guest/fs/image.h"

#include "guest/lib/errno.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/mm/slab.h"
#include "guest/proc/program.h"

enum { ROOT = 1, BIN = 2, FIRST = 3 };

static const struct program *program_in(const struct inode *i)
{
	return program_at(i->number - FIRST);
}

/* Behind the end of the file are zeros. */
static int read_page(struct mapping *m, struct frame *f)
{
	const struct program *p = program_in(inode_of(m));
	uint64_t from = f->index << PAGE_SHIFT;
	uint64_t bytes = (uint64_t)(p->end - p->start);
	size_t n = from < bytes ? bytes - from : 0;
	char *to = direct(frame_pa(f));

	n = n < PAGE_SIZE ? n : PAGE_SIZE;
	memcpy(to, p->start + from, n);
	memset(to + n, 0, PAGE_SIZE - n);
	return 0;
}

static const struct mapping_ops page_ops = {
	.read = read_page,
	.hold = inode_hold,
	.release = inode_release,
};

static const struct inode_ops inode_ops;

/* Inodes are made when they are first looked up. */
static int get(uint32_t number, struct inode **to)
{
	const struct program *p;
	struct inode *i = inode_find(&image_fs, number);

	if (!i) {
		i = kzalloc(sizeof(*i));
		if (!i)
			return -ENOMEM;
		i->number = number;
		i->links = 1;
		i->kind = number < FIRST ? FILE_DIRECTORY : FILE_REGULAR;
		p = program_in(i);
		if (p)
			i->bytes = (uint64_t)(p->end - p->start);
		i->blocks = (i->bytes + 511) / 512;
		inode_add(i, &image_fs, &inode_ops, &page_ops);
	}
	*to = i;
	return 0;
}

static int lookup(struct inode *dir, const char *name, struct inode **to)
{
	const struct program *p;

	if (dir->number == ROOT)
		return streq(name, "bin") ? get(BIN, to) : -ENOENT;
	for (uint32_t i = 0; (p = program_at(i)); i++)
		if (streq(p->name, name))
			return get(FIRST + i, to);
	return -ENOENT;
}

static int readdir(struct inode *dir, uint64_t *at, struct sys_dirent *to)
{
	uint32_t i = (uint32_t)*at;
	const struct program *p = dir->number == BIN ? program_at(i) : NULL;
	const char *name = p ? p->name : "bin";

	if (!p && (dir->number == BIN || i > 0))
		return 0;
	memcpy(to->name, name, strlen(name) + 1);
	to->inode = p ? FIRST + i : BIN;
	to->kind = p ? FILE_REGULAR : FILE_DIRECTORY;
	++*at;
	return 1;
}

static const struct inode_ops inode_ops = {
	.lookup = lookup,
	.readdir = readdir,
};

static int sync(struct file_system *fs, bool last)
{
	(void)fs;
	(void)last;
	return 0;
}

static void free_inode(struct inode *i)
{
	kfree(i);
}

static const struct file_system_ops image_ops = {
	.sync = sync,
	.free = free_inode,
};

struct file_system image_fs = { .ops = &image_ops, .name = "image" };

void image_mount(void)
{
	if (get(ROOT, &image_fs.root))
		panic("no memory for the root directory");
}
