/* SPDX-License-Identifier: MIT */
/*
 * The notes of an ELF file's PT_NOTE segment, as bytes from a stranger.
 *
 *     +--------+--------+------+---------...+---------...+
 *     | namesz | descsz | type | name, pad  | desc, pad  |   and again
 *     +--------+--------+------+---------...+---------...+
 */
#ifndef VMM_ELF_NOTE_H
#define VMM_ELF_NOTE_H

#include <stddef.h>
#include <stdint.h>

enum elf_note_end {
	ELF_NOTE_FOUND,
	ELF_NOTE_ABSENT,
	ELF_NOTE_MALFORMED /* a note that reaches past the segment's end */
};

struct elf_note {
	enum elf_note_end end;
	const uint8_t *desc; /* when found; of any alignment */
	uint32_t desc_bytes;
};

/*
 * The first note called @name of type @type in @notes[0, @len), whose parts
 * are padded to @align (4 or 8) bytes. Notes behind it are not looked at.
 */
struct elf_note elf_note_find(const uint8_t *notes, size_t len, size_t align,
			      const char *name, uint32_t type);

#endif
