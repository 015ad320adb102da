/* SPDX-License-Identifier: MIT */
/* ELF64 files with a PVH entry: the bundled guest, and Linux's vmlinux. */
#include <inttypes.h>
#include <string.h>

#include "vmm/elf_note.h"
#include "vmm/image_elf.h"
#include "vmm/pvh.h"

#define NOTES_MAX 0x10000u

/* Linux says so itself, since 5.4. */
#define LINUX_NOTE_NAME "Linux"
#define LINUX_NOTE_SALT 0x100

/* What its notes say. */
struct notes {
	uint8_t bytes[NOTES_MAX];
	size_t len, align;
	bool have_entry;
};

static bool take_entry(struct loader *l, struct elf_note note)
{
	uint64_t entry = 0;

	if (note.desc_bytes != 4 && note.desc_bytes != 8)
		return loader_refuse(l,
				     "its PVH entry has %u bytes, not 4 or 8",
				     note.desc_bytes);
	memcpy(&entry, note.desc, note.desc_bytes);
	if (entry > UINT32_MAX)
		return loader_refuse(
			l, "its PVH entry %#" PRIx64 " is above 4 GiB", entry);
	l->im->entry = (uint32_t)entry;
	return true;
}

static struct elf_note find(const struct notes *n, const char *name,
			    uint32_t type)
{
	return elf_note_find(n->bytes, n->len, n->align, name, type);
}

static bool take_notes(struct loader *l, unsigned at, struct notes *n)
{
	struct elf_note note = find(n, PVH_NOTE_NAME, PVH_NOTE_TYPE);

	if (note.end == ELF_NOTE_MALFORMED)
		return loader_refuse(
			l, "segment %u: a note reaches past its end", at);
	n->have_entry = note.end == ELF_NOTE_FOUND;
	if (n->have_entry && !take_entry(l, note))
		return false;
	note = find(n, ABI_NOTE_NAME, ABI_NOTE_LAB);
	l->im->lab |= note.end == ELF_NOTE_FOUND;
	note = find(n, LINUX_NOTE_NAME, LINUX_NOTE_SALT);
	l->im->linux_kernel |= note.end == ELF_NOTE_FOUND;
	return true;
}

static bool read_notes(struct loader *l, unsigned at, const Elf64_Phdr *p,
		       struct notes *n)
{
	if (p->p_filesz > sizeof(n->bytes))
		return loader_refuse(l,
				     "segment %u: %#" PRIx64
				     " bytes of notes; at most %#x are taken",
				     at, p->p_filesz, NOTES_MAX);
	if (p->p_align > 8 || (p->p_align & (p->p_align - 1)))
		return loader_refuse(
			l, "segment %u: notes aligned to %#" PRIx64 " bytes",
			at, p->p_align);
	n->len = p->p_filesz;
	/* Some linkers say 0 or 1 and mean 4. */
	n->align = p->p_align == 8 ? 8 : 4;
	return loader_read(l, p->p_offset, n->bytes, n->len);
}

static bool find_entry(struct loader *l, const struct elf_image *e)
{
	struct notes n; /* large: only what is used of it is set */

	n.have_entry = false;
	for (unsigned i = 0; i < e->header.e_phnum && !n.have_entry; i++)
		if (e->program[i].p_type == PT_NOTE &&
		    (!read_notes(l, i, &e->program[i], &n) ||
		     !take_notes(l, i, &n)))
			return false;
	return n.have_entry ||
	       loader_refuse(l, "no PVH entry (ELF note \"Xen\", type 18)");
}

static bool load(struct loader *l)
{
	struct elf_image e;

	l->im->protocol = BOOT_PVH;
	/* e_entry is not used; but a file where it leads nowhere was damaged. */
	return elf_read(l, &e, false) && elf_load(l, &e) && find_entry(l, &e) &&
	       loader_check_entry(l, "PVH") && elf_check_entry(l, &e);
}

const struct loader_ops loader_pvh = { "pvh", elf_recognise, load };
