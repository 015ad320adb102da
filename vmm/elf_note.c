/* SPDX-License-Identifier: MIT */
/*
 * One loop over the notes. Each step goes at least a header's size forward,
 * and all sums are of a 32-bit size and an offset within the segment, in 64
 * bits: none can wrap.
 */
#include "vmm/elf_note.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

static uint64_t align_up(uint64_t v, size_t align)
{
	return (v + align - 1) & ~(uint64_t)(align - 1);
}

static bool is_wanted(const Elf64_Nhdr *h, const uint8_t *found,
		      const char *name, uint32_t type)
{
	size_t size = strlen(name) + 1;

	return h->n_type == type && h->n_namesz == size &&
	       !memcmp(found, name, size);
}

struct elf_note elf_note_find(const uint8_t *notes, size_t len, size_t align,
			      const char *name, uint32_t type)
{
	uint64_t at = 0, desc, end;
	Elf64_Nhdr h;

	/* A remainder shorter than a header is padding. */
	for (; at < len && len - at >= sizeof(h); at = align_up(end, align)) {
		memcpy(&h, notes + at, sizeof(h));
		desc = align_up(at + sizeof(h) + h.n_namesz, align);
		end = desc + h.n_descsz;
		if (end > len)
			return (struct elf_note){ .end = ELF_NOTE_MALFORMED };
		if (is_wanted(&h, notes + at + sizeof(h), name, type))
			return (struct elf_note){ ELF_NOTE_FOUND, notes + desc,
						  h.n_descsz };
	}
	return (struct elf_note){ .end = ELF_NOTE_ABSENT };
}
