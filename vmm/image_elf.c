/* SPDX-License-Identifier: MIT */
#include "vmm/image_elf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ALIGN_MAX (UINT64_C(1) << 30)

bool elf_recognise(const struct image_file *f)
{
	return f->head_bytes >= SELFMAG && !memcmp(f->head, ELFMAG, SELFMAG);
}

static bool check_ident(struct loader *l, const unsigned char *ident,
			bool narrow)
{
	if (memcmp(ident, ELFMAG, SELFMAG))
		return loader_refuse(l, "neither an ELF file nor a bzImage");
	if (ident[EI_CLASS] != ELFCLASS64 &&
	    (!narrow || ident[EI_CLASS] != ELFCLASS32))
		return loader_refuse(
			l, "not a 64-bit ELF file%s",
			narrow ? ", nor a 32-bit one"
			       : ", and without a multiboot header");
	if (ident[EI_DATA] != ELFDATA2LSB)
		return loader_refuse(l, "not a little-endian ELF file");
	if (ident[EI_VERSION] != EV_CURRENT)
		return loader_refuse(l, "its ELF version is %u, not 1",
				     ident[EI_VERSION]);
	return true;
}

static Elf64_Ehdr widen_header(const Elf32_Ehdr *h)
{
	return (Elf64_Ehdr){
		.e_type = h->e_type,
		.e_machine = h->e_machine,
		.e_entry = h->e_entry,
		.e_phoff = h->e_phoff,
		.e_phentsize = h->e_phentsize,
		.e_phnum = h->e_phnum,
	};
}

static Elf64_Phdr widen_program(const Elf32_Phdr *p)
{
	return (Elf64_Phdr){
		.p_type = p->p_type,
		.p_offset = p->p_offset,
		.p_vaddr = p->p_vaddr,
		.p_paddr = p->p_paddr,
		.p_filesz = p->p_filesz,
		.p_memsz = p->p_memsz,
		.p_align = p->p_align,
	};
}

static bool read_header(struct loader *l, struct elf_image *e, bool narrow_too)
{
	unsigned char ident[EI_NIDENT];
	Elf32_Ehdr narrow;

	if (!loader_read(l, 0, ident, sizeof(ident)) ||
	    !check_ident(l, ident, narrow_too))
		return false;
	e->wide = ident[EI_CLASS] == ELFCLASS64;
	if (e->wide)
		return loader_read(l, 0, &e->header, sizeof(e->header));
	if (!loader_read(l, 0, &narrow, sizeof(narrow)))
		return false;
	e->header = widen_header(&narrow);
	return true;
}

static bool check_header(struct loader *l, const struct elf_image *e)
{
	size_t size = e->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	const Elf64_Ehdr *h = &e->header;

	if (h->e_machine != EM_X86_64 && (e->wide || h->e_machine != EM_386))
		return loader_refuse(l, "not for x86-64 (e_machine %u)",
				     h->e_machine);
	if (h->e_type != ET_EXEC)
		return loader_refuse(l,
				     "not an executable with fixed addresses "
				     "(e_type %u, not ET_EXEC)",
				     h->e_type);
	if (h->e_phentsize != size)
		return loader_refuse(l,
				     "its program headers have %u bytes, not "
				     "%zu",
				     h->e_phentsize, size);
	if (!h->e_phnum || h->e_phnum > ELF_HEADERS_MAX)
		return loader_refuse(l, "%u program headers; 1 to %d are taken",
				     h->e_phnum, ELF_HEADERS_MAX);
	return true;
}

static bool read_program(struct loader *l, struct elf_image *e)
{
	unsigned n = e->header.e_phnum;
	Elf32_Phdr narrow[ELF_HEADERS_MAX];

	if (e->wide)
		return loader_read(l, e->header.e_phoff, e->program,
				   n * sizeof(e->program[0]));
	if (!loader_read(l, e->header.e_phoff, narrow, n * sizeof(narrow[0])))
		return false;
	for (unsigned i = 0; i < n; i++)
		e->program[i] = widen_program(&narrow[i]);
	return true;
}

bool elf_read(struct loader *l, struct elf_image *e, bool narrow)
{
	return read_header(l, e, narrow) && check_header(l, e) &&
	       read_program(l, e);
}

static bool load_segment(struct loader *l, unsigned n, const Elf64_Phdr *p)
{
	const struct image_segment s = {
		.at = { p->p_paddr },
		.memory_bytes = p->p_memsz,
		.fd = l->file.fd,
		.file_offset = p->p_offset,
		.file_bytes = p->p_filesz,
	};
	char what[24];

	snprintf(what, sizeof(what), "segment %u", n);
	if (!p->p_align || (p->p_align & (p->p_align - 1)) ||
	    p->p_align > ALIGN_MAX)
		return loader_refuse(l,
				     "%s: alignment %#" PRIx64
				     " is no power of two up to 1 GiB",
				     what, p->p_align);
	return loader_add(l, what, &s, l->file.bytes);
}

bool elf_load(struct loader *l, const struct elf_image *e)
{
	for (unsigned i = 0; i < e->header.e_phnum; i++)
		if (e->program[i].p_type == PT_LOAD &&
		    !load_segment(l, i, &e->program[i]))
			return false;
	return l->im->segments ||
	       loader_refuse(l, "nothing in it is to be loaded");
}

bool elf_check_entry(struct loader *l, const struct elf_image *e)
{
	uint64_t entry = e->header.e_entry;

	for (unsigned i = 0; i < e->header.e_phnum; i++) {
		const Elf64_Phdr *p = &e->program[i];

		if (p->p_type == PT_LOAD && (entry - p->p_vaddr < p->p_filesz ||
					     entry - p->p_paddr < p->p_filesz))
			return true;
	}
	return loader_refuse(
		l, "its entry %#" PRIx64 " is not in what is loaded", entry);
}
