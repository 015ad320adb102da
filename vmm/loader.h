/* SPDX-License-Identifier: MIT */
/*
 * What a format of guest images is: how it is recognised and how it is read.
 * One file each, and vmm/image.c has the list. Every number of the file is
 * copied out once, then checked before it is used. HOSTILE.md, section 1 A,
 * lists the cases.
 */
#ifndef VMM_LOADER_H
#define VMM_LOADER_H

#include "vmm/image.h"
#include "vmm/image_file.h"

/* Below lies what vmm/boot.h says. */
#define LOADER_LOWEST (UINT64_C(1) << 20)

/* An image being checked. */
struct loader {
	struct image *im;
	const struct ram *ram;
	struct image_file file;
	struct complaint *why; /* the reason, without the file's name */
};

struct loader_ops {
	const char *name;
	/* Does the file's head say that it is of this format? */
	bool (*recognise)(const struct image_file *f);
	/* Check it and fill in l->im, all but the initrd. False: a reason in
	 * *l->why. */
	bool (*load)(struct loader *l);
};

extern const struct loader_ops loader_bzimage, loader_multiboot, loader_pvh;

#define loader_refuse(l, ...) complaint_set((l)->why, __VA_ARGS__)

static inline bool loader_read(struct loader *l, uint64_t at, void *to,
			       size_t len)
{
	return image_file_read(&l->file, at, to, len, l->why);
}

/*
 * Add the segment @s, called @what in complaints: its bytes are in a file of
 * @file_size bytes, and it lies in RAM, clear of boot data and of the others.
 * One without memory is passed over.
 */
bool loader_add(struct loader *l, const char *what,
		const struct image_segment *s, uint64_t file_size);

/* Is the entry among the bytes that come from the file? @what: its kind. */
bool loader_check_entry(struct loader *l, const char *what);

#endif
