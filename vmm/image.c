/* SPDX-License-Identifier: MIT */
/* Opening a guest image: which format it has, and what all have in common. */
#include "vmm/image.h"

#include <inttypes.h>
#include <unistd.h>

#include "vmm/boot.h"
#include "vmm/loader.h"

/* The first that recognises the file; the last one takes, or refuses, what
 * none does. */
static const struct loader_ops *const loaders[] = {
	&loader_bzimage,
	&loader_multiboot,
	&loader_pvh,
};

static bool overlap(const struct image_segment *a,
		    const struct image_segment *b)
{
	/* Both are in RAM: no sum wraps. */
	return a->at.v < b->at.v + b->memory_bytes &&
	       b->at.v < a->at.v + a->memory_bytes;
}

/* Boot data lies below 1 MiB; how much of it, the protocol says. */
static bool clear_of_boot_data(const struct loader *l,
			       const struct image_segment *s)
{
	return s->at.v >= LOADER_LOWEST ||
	       (l->im->protocol == BOOT_MULTIBOOT && s->at.v >= BOOT_LOW &&
		s->at.v < BOOT_LOW_END &&
		s->memory_bytes <= BOOT_LOW_END - s->at.v);
}

static bool check_segment(struct loader *l, const char *what,
			  const struct image_segment *s, uint64_t file_size)
{
	if (s->file_bytes > s->memory_bytes)
		return loader_refuse(l,
				     "%s: more bytes in the file than in "
				     "memory",
				     what);
	if (!range_within(s->file_offset, s->file_bytes, file_size))
		return loader_refuse(l,
				     "%s: truncated: its bytes are past "
				     "the file's end",
				     what);
	if (!s->memory_bytes)
		return true;
	if (!clear_of_boot_data(l, s))
		return loader_refuse(l,
				     "%s: address %#" PRIx64
				     " is below 1 MiB, where boot data lies",
				     what, s->at.v);
	if (!ram_contains(l->ram, s->at, s->memory_bytes))
		return loader_refuse(l,
				     "%s: %#" PRIx64 " bytes at %#" PRIx64
				     " are not all in guest memory (more: -m "
				     "SIZE)",
				     what, s->memory_bytes, s->at.v);
	return true;
}

bool loader_add(struct loader *l, const char *what,
		const struct image_segment *s, uint64_t file_size)
{
	struct image *im = l->im;

	if (!check_segment(l, what, s, file_size))
		return false;
	if (!s->memory_bytes)
		return true;
	for (unsigned i = 0; i < im->segments; i++)
		if (overlap(&im->segment[i], s))
			return loader_refuse(l, "%s overlaps another", what);
	if (im->segments == IMAGE_SEGMENTS)
		return loader_refuse(l, "more than %d segments",
				     IMAGE_SEGMENTS);
	im->segment[im->segments++] = *s;
	return true;
}

bool loader_check_entry(struct loader *l, const char *what)
{
	const struct image *im = l->im;

	for (unsigned i = 0; i < im->segments; i++)
		if (im->entry >= im->segment[i].at.v &&
		    im->entry - im->segment[i].at.v < im->segment[i].file_bytes)
			return true;
	return loader_refuse(l, "its %s entry %#x is not in what is loaded",
			     what, im->entry);
}

static bool load(struct loader *l, const char *path)
{
	size_t i = 0;

	if (!image_file_open(&l->file, path, l->why))
		return false;
	while (i + 1 < sizeof(loaders) / sizeof(loaders[0]) &&
	       !loaders[i]->recognise(&l->file))
		i++;
	return loaders[i]->load(l);
}

/* As high as it may lie: the kernel needs room behind itself. */
static bool place_initrd(struct image *im, const struct ram *ram,
			 const struct image_file *f, struct complaint *why)
{
	const struct ram_range *low = &ram->range[0];
	uint64_t end = low->base.v + low->bytes;
	struct image_segment s = { .memory_bytes = f->bytes,
				   .fd = f->fd,
				   .file_bytes = f->bytes };
	bool clear;

	if (end > im->initrd_max)
		end = (uint64_t)im->initrd_max + 1;
	clear = end >= LOADER_LOWEST && f->bytes <= end - LOADER_LOWEST;
	s.at.v = (end - f->bytes) & ~PAGE_MASK;
	for (unsigned i = 0; clear && i < im->segments; i++)
		clear = !overlap(&im->segment[i], &s);
	if (!clear)
		return complaint_set(why,
				     "its %" PRIu64 " bytes do not fit into "
				     "guest memory beside the kernel (more: -m "
				     "SIZE)",
				     f->bytes);
	im->segment[im->segments++] = s;
	im->initrd_at = s.at;
	im->initrd_bytes = f->bytes;
	return true;
}

static bool open_kernel(struct image *im, const char *path,
			const struct ram *ram, struct complaint *why)
{
	struct complaint reason;
	struct loader l = { .im = im, .ram = ram, .why = &reason };
	bool good = load(&l, path);

	im->fd = l.file.fd;
	return good ||
	       complaint_set(why, "guest image '%.80s': %s", path, reason.text);
}

static bool open_initrd(struct image *im, const char *path,
			const struct ram *ram, struct complaint *why)
{
	struct complaint reason;
	struct image_file f;
	bool good;

	if (!path)
		return true;
	good = image_file_open(&f, path, &reason) &&
	       place_initrd(im, ram, &f, &reason);
	im->initrd = f.fd;
	return good ||
	       complaint_set(why, "initrd '%.80s': %s", path, reason.text);
}

bool image_open(struct image *im, const char *path, const char *initrd,
		const struct ram *ram, struct complaint *why)
{
	*im = (struct image){ .fd = -1,
			      .initrd = -1,
			      .initrd_max = UINT32_MAX };
	if (open_kernel(im, path, ram, why) &&
	    open_initrd(im, initrd, ram, why))
		return true;
	image_close(im);
	return false;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void image_close(struct image *im)
{
	close_fd(&im->fd);
	close_fd(&im->initrd);
}
