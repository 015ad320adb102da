/* SPDX-License-Identifier: MIT */
/*
 * Multiboot kernels: 32-bit and 64-bit ELF files, and flat binaries. Case A16
 * is that of docs/hostile.md.
 */
#include "tests/unit/image_case.h"
#include "tests/unit/multiboot_fixture.h"

static struct elf32 e;
static struct flat flat;

static int setup(void **state)
{
	(void)state;
	e = good_elf32();
	return image_begin();
}

static int teardown(void **state)
{
	(void)state;
	return close(file);
}

static void take(const void *bytes, size_t len)
{
	take_image(bytes, len, NULL);
	assert_int_equal(im.protocol, BOOT_MULTIBOOT);
}

static void elf32_is_taken(void **state)
{
	(void)state;
	take(&e, sizeof(e));
	assert_int_equal(im.entry, MULTIBOOT_AT + 0x100);
	assert_int_equal(im.segments, 1);
	assert_int_equal(im.segment[0].at.v, MULTIBOOT_AT);
	assert_int_equal(im.segment[0].memory_bytes, 0x10000);
	assert_int_equal(im.segment[0].file_offset, 4096);
	assert_int_equal(im.segment[0].file_bytes, 4096);
	image_close(&im);
	/* page-aligned modules and a memory map are what everyone gets */
	e.header = multiboot_words(3);
	take(&e, sizeof(e));
	image_close(&im);
}

/* A PVH kernel that can be told the other way, too: that way is taken. */
static void elf64_is_taken(void **state)
{
	struct multiboot_words h = multiboot_words(0);

	(void)state;
	memcpy(elf.text, &h, sizeof(h));
	take(&elf, sizeof(elf));
	assert_int_equal(im.entry, ENTRY_AT);
	image_close(&im);
	elf.h.e_entry = UINT64_C(1) << 32;
	expect_image_refused(&elf, sizeof(elf),
			     "its entry 0x100000000 is above 4 GiB");
}

static void a16_header_that_is_none(void **state)
{
	static const char none[] = "not a 64-bit ELF file, and without a "
				   "multiboot header";
	static uint8_t far[3 * 4096 + 16];

	(void)state;
	e.header.checksum++;
	expect_image_refused(&e, sizeof(e), none);
	e.header = multiboot_words(0);
	memmove((uint8_t *)&e.header + 2, &e.header, sizeof(e.header));
	expect_image_refused(&e, sizeof(e), none); /* misaligned */
	/* the last place where it counts, and the next one */
	e.header = multiboot_words(0);
	memcpy(far, &e, 4096);
	memcpy(far + 8192 - 12, &e.header, 12);
	take(far, sizeof(far));
	image_close(&im);
	memset(far + 8192 - 12, 0, 12);
	memcpy(far + 8192 - 8, &e.header, 12);
	expect_image_refused(far, sizeof(far), none);
}

static void a16_flags_that_need_more(void **state)
{
	(void)state;
	e.header = multiboot_words(4); /* a video mode */
	expect_image_refused(
		&e, sizeof(e),
		"its multiboot header requires what is not there (flags 0x4)");
	e.header = multiboot_words(0x8001);
	expect_image_refused(
		&e, sizeof(e),
		"its multiboot header requires what is not there (flags "
		"0x8000)");
}

static void wrong_elf_fields(void **state)
{
	(void)state;
	e.h.e_phentsize = sizeof(Elf64_Phdr);
	expect_image_refused(&e, sizeof(e),
			     "its program headers have 56 bytes, not 32");
	e.h.e_phentsize = sizeof(Elf32_Phdr);
	e.h.e_machine = EM_ARM;
	expect_image_refused(&e, sizeof(e), "not for x86-64 (e_machine 40)");
	e.h.e_machine = EM_386;
	e.h.e_entry = MULTIBOOT_AT + 4096;
	expect_image_refused(
		&e, sizeof(e),
		"its multiboot entry 0x401000 is not in what is loaded");
	e.h.e_ident[EI_CLASS] = 3;
	expect_image_refused(&e, sizeof(e),
			     "not a 64-bit ELF file, nor a 32-bit one");
}

static void flat_binary_is_taken(void **state)
{
	(void)state;
	flat = good_flat();
	take(&flat, sizeof(flat));
	assert_int_equal(im.segment[0].at.v, MULTIBOOT_AT);
	assert_int_equal(im.segment[0].file_offset, 0);
	assert_int_equal(im.segment[0].file_bytes, 4096);
	assert_int_equal(im.segment[0].memory_bytes, 8192);
	image_close(&im);
	/* from the header on, to the end, and nothing behind it */
	flat.h.load = MULTIBOOT_AT + 16;
	flat.h.load_end = flat.h.bss_end = 0;
	take(&flat, sizeof(flat));
	assert_int_equal(im.segment[0].file_offset, 16);
	assert_int_equal(im.segment[0].file_bytes, 4080);
	assert_int_equal(im.segment[0].memory_bytes, 4080);
	image_close(&im);
}

static void a16_flat_binary_with_a_wrong_address(void **state)
{
	(void)state;
	flat = good_flat();
	flat.h.load = MULTIBOOT_AT + 17;
	expect_image_refused(&flat, sizeof(flat),
			     "its multiboot header is not where it says");
	flat.h.load = MULTIBOOT_AT - 1;
	expect_image_refused(&flat, sizeof(flat),
			     "its multiboot header is not where it says");
	flat = good_flat();
	flat.h.load_end = MULTIBOOT_AT + 4097;
	expect_image_refused(
		&flat, sizeof(flat),
		"its code: truncated: its bytes are past the file's end");
	flat.h.load_end = MULTIBOOT_AT - 1;
	expect_image_refused(&flat, sizeof(flat),
			     "its code: more bytes in the file than in memory");
	flat = good_flat();
	flat.h.bss_end = MULTIBOOT_AT + 4095;
	expect_image_refused(&flat, sizeof(flat),
			     "its code: more bytes in the file than in memory");
	flat = good_flat();
	flat.h.entry = MULTIBOOT_AT + 4096;
	expect_image_refused(
		&flat, sizeof(flat),
		"its multiboot entry 0x401000 is not in what is loaded");
}

static void a13_truncated_anywhere(void **state)
{
	(void)state;
	expect_cut_refused(&e, sizeof(e));
	flat = good_flat();
	expect_cut_refused(&flat, sizeof(flat));
}

static void any_damage_is_refused_or_harmless(void **state)
{
	(void)state;
	damage_each_byte(&e, sizeof(e), 0,
			 offsetof(struct elf32, p) + sizeof(e.p));
	flat = good_flat();
	damage_each_byte(&flat, sizeof(flat), offsetof(struct flat, h),
			 offsetof(struct flat, code));
}

/* The same file, loaded elsewhere. */
static void elf32_at(uint32_t at, uint32_t bytes)
{
	e.h.e_entry = at + 0x100;
	e.p.p_paddr = at;
	e.p.p_memsz = bytes;
}

/* Real-mode programs do: kvm-unit-tests' realmode.flat at 32 KiB. */
static void below_one_mib(void **state)
{
	static const char told[] = " is below 1 MiB, where boot data lies";
	char reason[64];

	(void)state;
	elf32_at(0x6000, 0x9a000); /* all there is */
	take(&e, sizeof(e));
	assert_int_equal(im.segment[0].at.v, 0x6000);
	image_close(&im);
	elf32_at(0x6000, 0x9a001);
	snprintf(reason, sizeof(reason), "segment 0: address 0x6000%s", told);
	expect_image_refused(&e, sizeof(e), reason);
	elf32_at(0x5fff, 4096);
	snprintf(reason, sizeof(reason), "segment 0: address 0x5fff%s", told);
	expect_image_refused(&e, sizeof(e), reason);
	elf32_at(0xff000, 4096); /* ACPI's tables */
	snprintf(reason, sizeof(reason), "segment 0: address 0xff000%s", told);
	expect_image_refused(&e, sizeof(e), reason);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(elf32_is_taken),
		TEST(elf64_is_taken),
		TEST(a16_header_that_is_none),
		TEST(a16_flags_that_need_more),
		TEST(wrong_elf_fields),
		TEST(flat_binary_is_taken),
		TEST(a16_flat_binary_with_a_wrong_address),
		TEST(a13_truncated_anywhere),
		TEST(any_damage_is_refused_or_harmless),
		TEST(below_one_mib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
