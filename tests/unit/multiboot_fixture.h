/* SPDX-License-Identifier: MIT */
/* Good multiboot kernels: an ELF file as kvm-unit-tests' are, a flat binary. */
#ifndef TESTS_MULTIBOOT_FIXTURE_H
#define TESTS_MULTIBOOT_FIXTURE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#define MULTIBOOT    0x1badb002u
#define MULTIBOOT_AT 0x400000u

struct multiboot_words {
	uint32_t magic, flags, checksum;
	uint32_t header, load, load_end, bss_end, entry;
};

struct elf32 {
	Elf32_Ehdr h;
	Elf32_Phdr p;
	_Alignas(4096) struct multiboot_words header;
	uint8_t code[4096 - sizeof(struct multiboot_words)];
};

static inline struct multiboot_words multiboot_words(uint32_t flags)
{
	return (struct multiboot_words){ MULTIBOOT, flags, -(MULTIBOOT + flags),
					 0,	    0,	   0,
					 0,	    0 };
}

static inline struct elf32 good_elf32(void)
{
	return (struct elf32){
		.h = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
				    ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
		       .e_type = ET_EXEC,
		       .e_machine = EM_386,
		       .e_entry = MULTIBOOT_AT + 0x100,
		       .e_phoff = offsetof(struct elf32, p),
		       .e_phentsize = sizeof(Elf32_Phdr),
		       .e_phnum = 1 },
		.p = { .p_type = PT_LOAD,
		       .p_offset = 4096,
		       .p_vaddr = MULTIBOOT_AT,
		       .p_paddr = MULTIBOOT_AT,
		       .p_filesz = 4096,
		       .p_memsz = 0x10000,
		       .p_align = 4096 },
		.header = multiboot_words(0),
	};
}

/* A page, its header 16 bytes in. */
struct flat {
	uint8_t jump[16];
	struct multiboot_words h;
	uint8_t code[4096 - 16 - sizeof(struct multiboot_words)];
};

static inline struct flat good_flat(void)
{
	struct flat f = { .h = multiboot_words(0x10000) };

	f.h.header = MULTIBOOT_AT + 16;
	f.h.load = MULTIBOOT_AT;
	f.h.load_end = MULTIBOOT_AT + 4096;
	f.h.bss_end = MULTIBOOT_AT + 8192;
	f.h.entry = MULTIBOOT_AT + 0x40;
	return f;
}

#endif
