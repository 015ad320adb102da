/* SPDX-License-Identifier: MIT */
/*
 * A good guest image, small enough to damage byte by byte:
 *
 *     0x0000  ELF header, program headers (notes, text, data), the PVH note
 *     0x1000  text, loaded at 2 MiB, the entry 16 bytes in
 *     0x2000  data, loaded at 4 MiB, with a page of zeros behind it
 *     0x3000  the end
 */
#ifndef TESTS_IMAGE_FIXTURE_H
#define TESTS_IMAGE_FIXTURE_H

#include <elf.h>
#include <stddef.h>
#include <stdlib.h>

#include "vmm/image.h"

#define TEXT_AT	 0x200000u
#define DATA_AT	 0x400000u
#define ENTRY_AT (TEXT_AT + 16)

enum { NOTES, TEXT, DATA, HEADERS };

struct note {
	Elf64_Nhdr h;
	char name[4];
	uint32_t desc[2];
};

struct elf {
	Elf64_Ehdr h;
	Elf64_Phdr p[HEADERS];
	struct note note;
	_Alignas(4096) uint8_t text[4096];
	uint8_t data[4096];
};

static inline struct elf good_elf(void)
{
	return (struct elf){
		.h = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
				    ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		       .e_type = ET_EXEC,
		       .e_machine = EM_X86_64,
		       .e_version = EV_CURRENT,
		       .e_entry = ENTRY_AT,
		       .e_phoff = offsetof(struct elf, p),
		       .e_ehsize = sizeof(Elf64_Ehdr),
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = HEADERS },
		.p = { [NOTES] = { .p_type = PT_NOTE,
				   .p_offset = offsetof(struct elf, note),
				   .p_filesz = sizeof(struct note),
				   .p_memsz = sizeof(struct note),
				   .p_align = 4 },
		       [TEXT] = { .p_type = PT_LOAD,
				  .p_offset = offsetof(struct elf, text),
				  .p_vaddr = TEXT_AT,
				  .p_paddr = TEXT_AT,
				  .p_filesz = 4096,
				  .p_memsz = 4096,
				  .p_align = 4096 },
		       [DATA] = { .p_type = PT_LOAD,
				  .p_offset = offsetof(struct elf, data),
				  .p_vaddr = DATA_AT,
				  .p_paddr = DATA_AT,
				  .p_filesz = 4096,
				  .p_memsz = 8192,
				  .p_align = 4096 } },
		.note = { .h = { .n_namesz = 4, .n_descsz = 4, .n_type = 18 },
			  .name = "Xen",
			  .desc = { ENTRY_AT } },
	};
}

/* Above the first MiB, or where multiboot has room below. */
static inline bool segment_is_clear(const struct image *im,
				    const struct image_segment *s)
{
	return s->at.v >= 0x100000 ||
	       (im->protocol == BOOT_MULTIBOOT && s->at.v >= 0x6000 &&
		s->at.v + s->memory_bytes <= 0xa0000);
}

/* What must hold of an image that was taken, whatever the file held. False:
 * it does not. */
static inline bool image_holds(const struct image *im, const struct ram *ram)
{
	bool entry = false;

	for (unsigned i = 0; i < im->segments; i++) {
		const struct image_segment *s = &im->segment[i];

		if (!segment_is_clear(im, s) || !s->memory_bytes ||
		    s->file_bytes > s->memory_bytes ||
		    (s->fd != im->fd && s->fd != im->initrd) ||
		    !ram_contains(ram, s->at, s->memory_bytes))
			return false;
		entry |= im->entry >= s->at.v &&
			 im->entry - s->at.v < s->file_bytes;
		for (unsigned j = 0; j < i; j++)
			if (s->at.v < im->segment[j].at.v +
					      im->segment[j].memory_bytes &&
			    im->segment[j].at.v < s->at.v + s->memory_bytes)
				return false;
	}
	return entry && im->segments <= IMAGE_SEGMENTS + 1 && im->fd >= 0;
}

#endif
