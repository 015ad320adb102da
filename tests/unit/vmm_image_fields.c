/* SPDX-License-Identifier: MIT */
/*
 * Guest images with one thing wrong inside. Cases A2 to A10 are those of
 * docs/hostile.md.
 */
#include "tests/unit/image_case.h"

static int setup(void **state)
{
	(void)state;
	return image_begin();
}

static int teardown(void **state)
{
	(void)state;
	return close(file);
}

#define FIELD(f) offsetof(struct elf, f), sizeof(((struct elf *)0)->f)

static const struct change changes[] = {
	{ "A2", FIELD(h.e_ident[0]), 0x7e,
	  "neither an ELF file nor a bzImage" },
	{ "A2", FIELD(h.e_ident[3]), 'f', "neither an ELF file nor a bzImage" },
	{ "A2", FIELD(h.e_ident[EI_CLASS]), ELFCLASS32,
	  "not a 64-bit ELF file, and without a multiboot header" },
	{ "A2", FIELD(h.e_ident[EI_DATA]), ELFDATA2MSB,
	  "not a little-endian ELF file" },
	{ "A2", FIELD(h.e_ident[EI_VERSION]), 2,
	  "its ELF version is 2, not 1" },
	{ "A2", FIELD(h.e_machine), EM_386, "not for x86-64 (e_machine 3)" },
	{ "A2", FIELD(h.e_type), ET_REL,
	  "not an executable with fixed addresses (e_type 1, not ET_EXEC)" },
	{ "A2", FIELD(h.e_type), ET_DYN,
	  "not an executable with fixed addresses (e_type 3, not ET_EXEC)" },
	{ "A3", FIELD(h.e_phoff), 0x3000,
	  "truncated: 0xa8 bytes at 0x3000 are past its end" },
	{ "A3", FIELD(h.e_phoff), 0x3000 - 0xa7,
	  "truncated: 0xa8 bytes at 0x2f59 are past its end" },
	{ "A3", FIELD(h.e_phoff), UINT64_MAX - 8,
	  "truncated: 0xa8 bytes at 0xfffffffffffffff7 are past its end" },
	{ "A4", FIELD(h.e_phnum), 0, "0 program headers; 1 to 64 are taken" },
	{ "A4", FIELD(h.e_phnum), 65, "65 program headers; 1 to 64 are taken" },
	{ "A4", FIELD(h.e_phnum), PN_XNUM,
	  "65535 program headers; 1 to 64 are taken" },
	{ "A4", FIELD(h.e_phentsize), 32,
	  "its program headers have 32 bytes, not 56" },
	{ "A4", FIELD(h.e_phentsize), 0,
	  "its program headers have 0 bytes, not 56" },
	{ "A5", FIELD(p[DATA].p_filesz), 8193,
	  "segment 2: more bytes in the file than in memory" },
	{ "A5", FIELD(p[DATA].p_filesz), UINT64_MAX,
	  "segment 2: more bytes in the file than in memory" },
	{ "A5", FIELD(p[DATA].p_filesz), 4097,
	  "segment 2: truncated: its bytes are past the file's end" },
	{ "A5", FIELD(p[DATA].p_offset), 0x2001,
	  "segment 2: truncated: its bytes are past the file's end" },
	{ "A5", FIELD(p[DATA].p_offset), UINT64_MAX - 4095,
	  "segment 2: truncated: its bytes are past the file's end" },
	{ "A5", FIELD(p[DATA].p_memsz), 0,
	  "segment 2: more bytes in the file than in memory" },
	{ "A6", FIELD(p[DATA].p_paddr), 0x4000000 - 8191,
	  "segment 2: 0x2000 bytes at 0x3ffe001 are not all in guest memory "
	  "(more: -m SIZE)" },
	{ "A6", FIELD(p[DATA].p_paddr), 0xd0000000,
	  "segment 2: 0x2000 bytes at 0xd0000000 are not all in guest memory "
	  "(more: -m SIZE)" },
	{ "A6", FIELD(p[DATA].p_paddr), UINT64_MAX - 4095,
	  "segment 2: 0x2000 bytes at 0xfffffffffffff000 are not all in guest "
	  "memory (more: -m SIZE)" },
	{ "A6", FIELD(p[DATA].p_memsz), UINT64_MAX,
	  "segment 2: 0xffffffffffffffff bytes at 0x400000 are not all in "
	  "guest memory (more: -m SIZE)" },
	{ "A7", FIELD(p[DATA].p_paddr), TEXT_AT, "segment 2 overlaps another" },
	{ "A7", FIELD(p[DATA].p_paddr), TEXT_AT + 4095,
	  "segment 2 overlaps another" },
	{ "A7", FIELD(p[DATA].p_paddr), TEXT_AT - 8191,
	  "segment 2 overlaps another" },
	{ "A7", FIELD(p[DATA].p_paddr), 0,
	  "segment 2: address 0 is below 1 MiB, where boot data lies" },
	{ "A7", FIELD(p[DATA].p_paddr), 0xfffff,
	  "segment 2: address 0xfffff is below 1 MiB, where boot data lies" },
	{ "A8", FIELD(p[DATA].p_align), 0,
	  "segment 2: alignment 0 is no power of two up to 1 GiB" },
	{ "A8", FIELD(p[DATA].p_align), 3,
	  "segment 2: alignment 0x3 is no power of two up to 1 GiB" },
	{ "A8", FIELD(p[DATA].p_align), 0x8000000000000000,
	  "segment 2: alignment 0x8000000000000000 is no power of two up to "
	  "1 GiB" },
	{ "A8", FIELD(p[NOTES].p_align), 3,
	  "segment 0: notes aligned to 0x3 bytes" },
	{ "A8", FIELD(p[NOTES].p_align), 4096,
	  "segment 0: notes aligned to 0x1000 bytes" },
	{ "A9", FIELD(note.h.n_namesz), UINT32_MAX,
	  "segment 0: a note reaches past its end" },
	{ "A9", FIELD(note.h.n_descsz), UINT32_MAX,
	  "segment 0: a note reaches past its end" },
	{ "A9", FIELD(note.h.n_descsz), 9,
	  "segment 0: a note reaches past its end" },
	{ "A9", FIELD(note.h.n_namesz), 3, /* the size counts the NUL */
	  "no PVH entry (ELF note \"Xen\", type 18)" },
	{ "A9", FIELD(note.h.n_descsz), 0,
	  "its PVH entry has 0 bytes, not 4 or 8" },
	{ "A9", FIELD(note.h.n_descsz), 5,
	  "its PVH entry has 5 bytes, not 4 or 8" },
	{ "A9", FIELD(note.h.n_type), 17,
	  "no PVH entry (ELF note \"Xen\", type 18)" },
	{ "A9", FIELD(note.name[0]), 'x',
	  "no PVH entry (ELF note \"Xen\", type 18)" },
	{ "A9", FIELD(note.name[3]), 'x',
	  "no PVH entry (ELF note \"Xen\", type 18)" },
	{ "A9", FIELD(p[NOTES].p_type), PT_NULL,
	  "no PVH entry (ELF note \"Xen\", type 18)" },
	{ "A9", FIELD(p[NOTES].p_filesz), 0,
	  "no PVH entry (ELF note \"Xen\", type 18)" },
	{ "A9", FIELD(p[NOTES].p_filesz), 0x10001,
	  "segment 0: 0x10001 bytes of notes; at most 0x10000 are taken" },
	{ "A9", FIELD(p[NOTES].p_offset), 0x2fe9,
	  "truncated: 0x18 bytes at 0x2fe9 are past its end" },
	{ "A10", FIELD(note.desc[0]), TEXT_AT - 1,
	  "its PVH entry 0x1fffff is not in what is loaded" },
	{ "A10", FIELD(note.desc[0]), TEXT_AT + 4096,
	  "its PVH entry 0x201000 is not in what is loaded" },
	{ "A10", FIELD(note.desc[0]), DATA_AT + 4096, /* zeros, no code */
	  "its PVH entry 0x401000 is not in what is loaded" },
	{ "A10", FIELD(note.desc[0]), 0,
	  "its PVH entry 0 is not in what is loaded" },
	{ "A10", FIELD(h.e_entry), TEXT_AT + 4096,
	  "its entry 0x201000 is not in what is loaded" },
	{ "A10", FIELD(h.e_entry), UINT64_MAX,
	  "its entry 0xffffffffffffffff is not in what is loaded" },
};

static void a2_to_a10_one_wrong_field(void **state)
{
	(void)state;
	expect_changes_refused(&elf, sizeof(elf), changes,
			       sizeof(changes) / sizeof(changes[0]));
}

static void a9_entry_of_eight_bytes(void **state)
{
	(void)state;
	elf.note.h.n_descsz = 8;
	elf.note.desc[1] = 1;
	expect_refused("its PVH entry 0x100200010 is above 4 GiB");
}

static void nothing_to_load(void **state)
{
	(void)state;
	elf.p[TEXT].p_type = elf.p[DATA].p_type = PT_NULL;
	expect_refused("nothing in it is to be loaded");
}

/* The headers and the note. */
static void any_damage_is_refused_or_harmless(void **state)
{
	(void)state;
	damage_each_byte(&elf, sizeof(elf), 0,
			 offsetof(struct elf, note) + sizeof(elf.note));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a2_to_a10_one_wrong_field,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a9_entry_of_eight_bytes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_to_load, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			any_damage_is_refused_or_harmless, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
