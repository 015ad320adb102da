/* SPDX-License-Identifier: MIT */
/*
 * Multiboot 1: an ELF file, 32-bit or 64-bit, or, where the header has the
 * addresses itself, a flat binary. The entry is reached in 32-bit mode.
 */
#include <inttypes.h>
#include <string.h>

#include "vmm/image_elf.h"
#include "vmm/multiboot.h"

#define BASIC_BYTES 12u /* of the header, which every one has */

/* The file offset of the header; -1: it has none. A header whose sum is wrong
 * is none. */
static long find_header(const struct image_file *f)
{
	static const uint32_t magic = MULTIBOOT_HEADER_MAGIC;
	const uint8_t *end = f->head + f->head_bytes, *at = f->head;
	uint32_t word[BASIC_BYTES / 4];

	while ((at = memmem(at, end - at, &magic, sizeof(magic)))) {
		long offset = at++ - f->head;

		if (offset % 4 || offset + sizeof(word) > f->head_bytes)
			continue;
		memcpy(word, f->head + offset, sizeof(word));
		if (!(uint32_t)(word[0] + word[1] + word[2]))
			return offset;
	}
	return -1;
}

static bool recognise(const struct image_file *f)
{
	return find_header(f) >= 0;
}

static bool check_flags(struct loader *l, uint32_t flags)
{
	uint32_t unknown = flags & MULTIBOOT_REQUIRED &
			   ~(uint32_t)(MULTIBOOT_ALIGN | MULTIBOOT_MEMORY);

	return !unknown || loader_refuse(l,
					 "its multiboot header requires what "
					 "is not there (flags %#x)",
					 unknown);
}

static bool load_elf(struct loader *l)
{
	struct elf_image e;

	if (!elf_read(l, &e, true) || !elf_load(l, &e))
		return false;
	if (e.header.e_entry > UINT32_MAX)
		return loader_refuse(l, "its entry %#" PRIx64 " is above 4 GiB",
				     e.header.e_entry);
	l->im->entry = (uint32_t)e.header.e_entry;
	return true;
}

/* From the header's own place follows where the file's first byte would be. */
static bool load_flat(struct loader *l, const struct multiboot_header *h,
		      uint64_t found)
{
	uint64_t ahead = (uint64_t)h->header_addr - h->load_addr;
	struct image_segment s = { .at = { h->load_addr }, .fd = l->file.fd };

	if (h->header_addr < h->load_addr || ahead > found)
		return loader_refuse(l, "its multiboot header is not where it "
					"says");
	s.file_offset = found - ahead;
	s.file_bytes = h->load_end_addr
			       ? (uint64_t)h->load_end_addr - h->load_addr
			       : l->file.bytes - s.file_offset;
	s.memory_bytes = h->bss_end_addr
				 ? (uint64_t)h->bss_end_addr - h->load_addr
				 : s.file_bytes;
	l->im->entry = h->entry_addr;
	return loader_add(l, "its code", &s, l->file.bytes);
}

static bool load(struct loader *l)
{
	struct multiboot_header h = { 0 };
	uint64_t found = (uint64_t)find_header(&l->file);

	l->im->protocol = BOOT_MULTIBOOT;
	if (!loader_read(l, found, &h, BASIC_BYTES) || !check_flags(l, h.flags))
		return false;
	if (!(h.flags & MULTIBOOT_ADDRESSES))
		return load_elf(l) && loader_check_entry(l, "multiboot");
	return loader_read(l, found, &h, sizeof(h)) &&
	       load_flat(l, &h, found) && loader_check_entry(l, "multiboot");
}

const struct loader_ops loader_multiboot = { "multiboot", recognise, load };
