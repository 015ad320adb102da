/* SPDX-License-Identifier: MIT */
/*
 * ELF files, for the loaders whose kernels are such. Names of fields are those
 * of the ELF specification (System V ABI, chapters 4 and 5).
 */
#ifndef VMM_IMAGE_ELF_H
#define VMM_IMAGE_ELF_H

#include <elf.h>

#include "vmm/loader.h"

#define ELF_HEADERS_MAX 64

/* Its headers; those of a 32-bit file as a 64-bit one would have them. */
struct elf_image {
	bool wide; /* a 64-bit file */
	Elf64_Ehdr header;
	Elf64_Phdr program[ELF_HEADERS_MAX];
};

bool elf_recognise(const struct image_file *f);
/* Read and check the headers of a file for x86; a 32-bit one only if it may
 * be @narrow. */
bool elf_read(struct loader *l, struct elf_image *e, bool narrow);
/* Add what is to be loaded. */
bool elf_load(struct loader *l, const struct elf_image *e);
/* Does e_entry, a virtual address or a physical one, lead to what comes from
 * the file? */
bool elf_check_entry(struct loader *l, const struct elf_image *e);

#endif
