/* SPDX-License-Identifier: MIT */
/* What an ELF file says is mapped, not read: its pages come when touched. */
#include "guest/proc/process.h"

#include "guest/fs/inode.h"
#include "guest/lib/base.h"

/* System V ABI, AMD64 supplement and generic part, chapter 4 and 5. */
struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, segments_at, sections_at;
	uint32_t flags;
	uint16_t header_bytes, segment_bytes, segments;
	uint16_t section_bytes, sections, names;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, va, pa, file_bytes, memory_bytes, align;
};

enum { ELF_EXEC = 2, ELF_X86_64 = 62, ELF_LOAD = 1 };
#define SEGMENTS 8u

enum { ELF_X = 1, ELF_W = 2, ELF_R = 4 };

/* How a file of ours begins, as linkers place it. */
struct image {
	struct elf_header header;
	struct elf_segment segment[SEGMENTS];
};

static bool is_ours(const struct elf_header *h)
{
	return !memcmp(h->ident, "\177ELF\2\1", 6) && h->type == ELF_EXEC &&
	       h->machine == ELF_X86_64 && h->entry < USER_END &&
	       h->segment_bytes == sizeof(struct elf_segment) &&
	       h->segments_at == sizeof(*h) && h->segments <= SEGMENTS;
}

static unsigned prot_of(uint32_t flags)
{
	return (flags & ELF_R ? PROT_READ : 0) |
	       (flags & ELF_W ? PROT_WRITE : 0) |
	       (flags & ELF_X ? PROT_EXEC : 0);
}

/*
 *   va           va + file_bytes        va + memory_bytes
 *    | the file's bytes |  zeros               |
 *    [ pages of the file   )[ pages of zeros      )
 *
 * A page that has both is a copy. What cannot be written is not even copied:
 * the page cache's own frame is mapped, with whatever follows in the file.
 */
static int map_segment(struct space *s, struct mapping *pages,
		       const struct elf_segment *p)
{
	uintptr_t start = page_down(p->va);
	uintptr_t file_end = page_up(p->va + p->file_bytes);
	uintptr_t end = page_up(p->va + p->memory_bytes);
	struct vma file = {
		.start = start,
		.end = file_end,
		.prot = prot_of(p->flags),
		.kind = VMA_FILE,
		.mapping = pages,
		.shift = (p->offset >> PAGE_SHIFT) - (start >> PAGE_SHIFT),
		.file_end =
			p->flags & ELF_W ? p->offset + p->file_bytes : FILE_ALL,
	};
	struct vma zero = {
		.start = file_end,
		.end = end,
		.prot = prot_of(p->flags),
		.kind = VMA_ANON,
	};
	int error = 0;

	if (p->file_bytes)
		error = space_map(s, file);
	if (!error && end > file_end)
		error = space_map(s, zero);
	return error;
}

static bool is_sane(const struct elf_segment *p, uint64_t bytes)
{
	return p->va < USER_END && p->memory_bytes < USER_END - p->va &&
	       p->file_bytes <= p->memory_bytes && p->offset <= bytes &&
	       p->file_bytes <= bytes - p->offset &&
	       page_offset(p->va) == page_offset(p->offset);
}

/* A program may write to the file meanwhile: it is copied once, then checked. */
int elf_load(struct space *s, struct inode *file, uintptr_t *entry)
{
	struct image image;
	struct frame *first;
	int error = inode_is_directory(file)
			    ? -ENOEXEC
			    : mapping_get(&file->pages, 0, &first);

	if (error)
		return error;
	memcpy(&image, frame_bytes(first), sizeof(image));
	frame_put(first);
	if (!is_ours(&image.header))
		return -ENOEXEC;
	*entry = image.header.entry;
	for (unsigned i = 0; !error && i < image.header.segments; i++) {
		const struct elf_segment *p = &image.segment[i];

		if (p->type != ELF_LOAD || !p->memory_bytes)
			continue;
		error = is_sane(p, file->bytes)
				? map_segment(s, &file->pages, p)
				: -ENOEXEC;
		if (s->heap < page_up(p->va + p->memory_bytes))
			s->heap = page_up(p->va + p->memory_bytes);
	}
	s->heap_end = s->heap;
	return error;
}
