/* SPDX-License-Identifier: MIT */
/*
 * Reading a guest image that may be anything at all: every number of the file
 * is copied out once by pread, then checked before it is used, and nothing is
 * allocated by its word. Names of fields are those of the ELF specification
 * (System V ABI, chapters 4 and 5). HOSTILE.md, section 1 A, lists the cases.
 */
#include "vmm/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/elf_note.h"
#include "vmm/pvh.h"

/* More than any kernel, with all it says for debuggers; a sparse file that
 * claims to be endless is refused here. */
#define FILE_MAX    (UINT64_C(16) << 30)
#define HEADERS_MAX 64
#define NOTES_MAX   0x10000u
#define ALIGN_MAX   (UINT64_C(1) << 30)
#define BOOT_END    (UINT64_C(1) << 20) /* below lies what vmm/boot.h says */

/* An image being checked. */
struct loader {
	struct image *im;
	const struct ram *ram;
	uint64_t bytes; /* of the file */
	Elf64_Ehdr header;
	Elf64_Phdr program[HEADERS_MAX];
	bool have_entry;
	struct complaint *why; /* the reason, without the file's name */
};

#define refuse(l, ...) complaint_set((l)->why, __VA_ARGS__)

/* All @len bytes at @at. What was checked against the file's size may still
 * be missing: the file can shrink while it is read. */
static bool read_at(struct loader *l, uint64_t at, void *to, size_t len)
{
	uint8_t *next = to;

	if (!range_within(at, len, l->bytes))
		return refuse(l,
			      "truncated: %#zx bytes at %#" PRIx64
			      " are past its end",
			      len, at);
	while (len) {
		ssize_t n = pread(l->im->fd, next, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(l, "cannot read it: %s", strerror(errno));
		if (n == 0)
			return refuse(l, "it shrank while it was read");
		next += n;
		at += n;
		len -= n;
	}
	return true;
}

static bool open_file(struct loader *l, const char *path)
{
	struct stat st;

	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	l->im->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (l->im->fd < 0)
		return refuse(l, "%s", strerror(errno));
	if (fstat(l->im->fd, &st))
		return refuse(l, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return refuse(l, "it is a directory");
	if (!S_ISREG(st.st_mode))
		return refuse(l, "not a regular file");
	l->bytes = (uint64_t)st.st_size;
	if (!l->bytes)
		return refuse(l, "it is empty");
	if (l->bytes > FILE_MAX)
		return refuse(l,
			      "it has %" PRIu64 " bytes; at most 16 GiB "
			      "are taken",
			      l->bytes);
	return true;
}

static bool check_ident(struct loader *l, const unsigned char *ident)
{
	if (memcmp(ident, ELFMAG, SELFMAG))
		return refuse(l, "not an ELF file");
	if (ident[EI_CLASS] != ELFCLASS64)
		return refuse(l, "not a 64-bit ELF file");
	if (ident[EI_DATA] != ELFDATA2LSB)
		return refuse(l, "not a little-endian ELF file");
	if (ident[EI_VERSION] != EV_CURRENT)
		return refuse(l, "its ELF version is %u, not 1",
			      ident[EI_VERSION]);
	return true;
}

static bool check_header(struct loader *l)
{
	const Elf64_Ehdr *h = &l->header;

	if (!read_at(l, 0, &l->header, sizeof(*h)) ||
	    !check_ident(l, h->e_ident))
		return false;
	if (h->e_machine != EM_X86_64)
		return refuse(l, "not for x86-64 (e_machine %u)", h->e_machine);
	if (h->e_type != ET_EXEC)
		return refuse(l,
			      "not an executable with fixed addresses "
			      "(e_type %u, not ET_EXEC)",
			      h->e_type);
	if (h->e_phentsize != sizeof(Elf64_Phdr))
		return refuse(l, "its program headers have %u bytes, not %zu",
			      h->e_phentsize, sizeof(Elf64_Phdr));
	if (!h->e_phnum || h->e_phnum > HEADERS_MAX)
		return refuse(l, "%u program headers; 1 to %d are taken",
			      h->e_phnum, HEADERS_MAX);
	return read_at(l, h->e_phoff, l->program,
		       h->e_phnum * sizeof(Elf64_Phdr));
}

static bool check_load(struct loader *l, unsigned n, const Elf64_Phdr *p)
{
	if (p->p_filesz > p->p_memsz)
		return refuse(l,
			      "segment %u: more bytes in the file than in "
			      "memory",
			      n);
	if (!range_within(p->p_offset, p->p_filesz, l->bytes))
		return refuse(l,
			      "segment %u: truncated: its bytes are past "
			      "the file's end",
			      n);
	if (!p->p_align || (p->p_align & (p->p_align - 1)) ||
	    p->p_align > ALIGN_MAX)
		return refuse(l,
			      "segment %u: alignment %#" PRIx64
			      " is no power of two up to 1 GiB",
			      n, p->p_align);
	if (!p->p_memsz)
		return true;
	if (p->p_paddr < BOOT_END)
		return refuse(l,
			      "segment %u: address %#" PRIx64
			      " is below 1 MiB, where boot data lies",
			      n, p->p_paddr);
	if (!ram_contains(l->ram, (gpa_t){ p->p_paddr }, p->p_memsz))
		return refuse(l,
			      "segment %u: %#" PRIx64 " bytes at %#" PRIx64
			      " are not all in guest memory (more: -m SIZE)",
			      n, p->p_memsz, p->p_paddr);
	return true;
}

/* Both are in RAM: no sum wraps. */
static bool overlap(const struct image_segment *a, const Elf64_Phdr *b)
{
	return a->at.v < b->p_paddr + b->p_memsz &&
	       b->p_paddr < a->at.v + a->memory_bytes;
}

static bool take_load(struct loader *l, unsigned n, const Elf64_Phdr *p)
{
	struct image *im = l->im;

	if (!check_load(l, n, p))
		return false;
	if (!p->p_memsz)
		return true;
	for (unsigned i = 0; i < im->segments; i++)
		if (overlap(&im->segment[i], p))
			return refuse(l, "segment %u overlaps another", n);
	if (im->segments == IMAGE_SEGMENTS)
		return refuse(l, "more than %d segments", IMAGE_SEGMENTS);
	im->segment[im->segments++] = (struct image_segment){
		.at = { p->p_paddr },
		.memory_bytes = p->p_memsz,
		.file_offset = p->p_offset,
		.file_bytes = p->p_filesz,
	};
	return true;
}

static bool take_entry(struct loader *l, struct elf_note note)
{
	uint64_t entry = 0;

	if (note.desc_bytes != 4 && note.desc_bytes != 8)
		return refuse(l, "its PVH entry has %u bytes, not 4 or 8",
			      note.desc_bytes);
	memcpy(&entry, note.desc, note.desc_bytes);
	if (entry > UINT32_MAX)
		return refuse(l, "its PVH entry %#" PRIx64 " is above 4 GiB",
			      entry);
	l->im->entry = (uint32_t)entry;
	l->have_entry = true;
	return true;
}

static bool take_notes(struct loader *l, unsigned n, const Elf64_Phdr *p)
{
	uint8_t notes[NOTES_MAX];
	struct elf_note note;

	if (l->have_entry)
		return true;
	if (p->p_filesz > sizeof(notes))
		return refuse(l,
			      "segment %u: %#" PRIx64
			      " bytes of notes; at most %#x are taken",
			      n, p->p_filesz, NOTES_MAX);
	if (p->p_align > 8 || (p->p_align & (p->p_align - 1)))
		return refuse(l,
			      "segment %u: notes aligned to %#" PRIx64 " bytes",
			      n, p->p_align);
	if (!read_at(l, p->p_offset, notes, p->p_filesz))
		return false;
	/* Some linkers say 0 or 1 and mean 4. */
	note = elf_note_find(notes, p->p_filesz, p->p_align == 8 ? 8 : 4,
			     PVH_NOTE_NAME, PVH_NOTE_TYPE);
	if (note.end == ELF_NOTE_MALFORMED)
		return refuse(l, "segment %u: a note reaches past its end", n);
	if (note.end == ELF_NOTE_FOUND && !take_entry(l, note))
		return false;
	note = elf_note_find(notes, p->p_filesz, p->p_align == 8 ? 8 : 4,
			     ABI_NOTE_NAME, ABI_NOTE_LAB);
	l->im->lab |= note.end == ELF_NOTE_FOUND;
	return true;
}

static bool take_program(struct loader *l)
{
	for (unsigned i = 0; i < l->header.e_phnum; i++) {
		const Elf64_Phdr *p = &l->program[i];

		if (p->p_type == PT_LOAD && !take_load(l, i, p))
			return false;
		if (p->p_type == PT_NOTE && !take_notes(l, i, p))
			return false;
	}
	if (!l->im->segments)
		return refuse(l, "nothing in it is to be loaded");
	if (!l->have_entry)
		return refuse(l, "no PVH entry (ELF note \"Xen\", type 18)");
	return true;
}

/* Is the PVH entry among the bytes that come from the file? */
static bool check_entry(struct loader *l)
{
	const struct image *im = l->im;

	for (unsigned i = 0; i < im->segments; i++)
		if (im->entry >= im->segment[i].at.v &&
		    im->entry - im->segment[i].at.v < im->segment[i].file_bytes)
			return true;
	return refuse(l, "its PVH entry %#x is not in what is loaded",
		      im->entry);
}

/* e_entry, a virtual address or a physical one, is not used; but a file where
 * it leads nowhere was damaged. */
static bool check_elf_entry(struct loader *l)
{
	uint64_t entry = l->header.e_entry;

	for (unsigned i = 0; i < l->header.e_phnum; i++) {
		const Elf64_Phdr *p = &l->program[i];

		if (p->p_type == PT_LOAD && (entry - p->p_vaddr < p->p_filesz ||
					     entry - p->p_paddr < p->p_filesz))
			return true;
	}
	return refuse(l, "its entry %#" PRIx64 " is not in what is loaded",
		      entry);
}

bool image_open(struct image *im, const char *path, const struct ram *ram,
		struct complaint *why)
{
	struct complaint reason;
	struct loader l = { .im = im, .ram = ram, .why = &reason };

	*im = (struct image){ .fd = -1 };
	if (open_file(&l, path) && check_header(&l) && take_program(&l) &&
	    check_entry(&l) && check_elf_entry(&l))
		return true;
	image_close(im);
	return complaint_set(why, "guest image '%.80s': %s", path, reason.text);
}

void image_close(struct image *im)
{
	if (im->fd >= 0)
		close(im->fd);
	im->fd = -1;
}
