/* SPDX-License-Identifier: MIT */
/*
 * Linux's bzImage, its initrd, and how it finds both. Cases A11 to A16 are
 * those of docs/hostile.md. A22: what is packed in it is the guest's to
 * unpack, nothing here does.
 */
#include "tests/unit/bzimage_fixture.h"
#include "tests/unit/image_case.h"

static struct bzimage bz;
static int initrd;
static char initrd_path[64];

static int setup(void **state)
{
	(void)state;
	bz = good_bzimage();
	initrd = memfd_create("initrd", MFD_CLOEXEC);
	snprintf(initrd_path, sizeof(initrd_path), "/proc/self/fd/%d", initrd);
	return image_begin();
}

static int teardown(void **state)
{
	(void)state;
	close(initrd);
	return close(file);
}

static void take(const char *with)
{
	take_image(&bz, sizeof(bz), with);
}

static void expect_initrd_refused(const char *reason)
{
	int fd = lowest_free_fd();
	const char *got;

	write_image(&bz, sizeof(bz));
	assert_false(image_open(&im, path, initrd_path, &ram, &why));
	got = strstr(why.text, "': ");
	assert_memory_equal(why.text, "initrd '", 8);
	assert_non_null(got);
	assert_string_equal(got + 3, reason);
	assert_int_equal(im.initrd, -1);
	assert_int_equal(lowest_free_fd(), fd);
}

static void good_bzimage_is_taken(void **state)
{
	(void)state;
	take(NULL);
	assert_int_equal(im.protocol, BOOT_LINUX);
	assert_true(im.linux_kernel);
	assert_int_equal(im.entry, BZ_AT + 0x200);
	assert_int_equal(im.segments, 1);
	assert_int_equal(im.segment[0].at.v, BZ_AT);
	assert_int_equal(im.segment[0].memory_bytes, BZ_BYTES);
	assert_int_equal(im.segment[0].file_offset, 1024);
	assert_int_equal(im.segment[0].file_bytes, 4096);
	assert_int_equal(im.setup.cmdline_size, 2047);
	image_close(&im);
}

#define FIELD(f) offsetof(struct bzimage, h.f), sizeof(bz.h.f)

static const struct change changes[] = {
	{ "A11", FIELD(header), 0x53726449,
	  "neither an ELF file nor a bzImage" },
	{ "A11", FIELD(boot_flag), 0x55aa,
	  "its boot flag is 0x55aa, not 0xaa55" },
	{ "A11", FIELD(version), 0x0100,
	  "its boot protocol is 1.00; 2.12 (Linux 3.8) or newer is needed" },
	{ "A11", FIELD(version), 0x020b,
	  "its boot protocol is 2.11; 2.12 (Linux 3.8) or newer is needed" },
	{ "A11", FIELD(loadflags), 0, "a zImage, which lies below 1 MiB" },
	{ "A11", FIELD(xloadflags), 0, "no 64-bit kernel" },
	{ "A11", FIELD(setup_sects), 255, /* behind the file's end */
	  "its code: truncated: its bytes are past the file's end" },
	{ "A11", FIELD(setup_sects), 2, /* a sector of code is missing */
	  "its code: truncated: its bytes are past the file's end" },
	{ "A11", FIELD(jump), 0x00eb, /* no field behind the magic */
	  "its boot protocol is 0.00; 2.12 (Linux 3.8) or newer is needed" },
	{ "A12", FIELD(syssize), 257,
	  "its code: truncated: its bytes are past the file's end" },
	{ "A12", FIELD(syssize), UINT32_MAX,
	  "its code: more bytes in the file than in memory" },
	{ "A12", FIELD(syssize), 0,
	  "its 64-bit entry 0x1000200 is not in what is loaded" },
	{ "A12", FIELD(syssize), 0x20,
	  "its 64-bit entry 0x1000200 is not in what is loaded" },
	{ "A12", FIELD(init_size), 4095,
	  "its code: more bytes in the file than in memory" },
	{ "A12", FIELD(init_size), UINT32_MAX,
	  "0xffffffff bytes at 0x1000000 are not all in the first GiB" },
	{ "A12", FIELD(init_size), 0x3000001,
	  "its code: 0x3000001 bytes at 0x1000000 are not all in guest memory "
	  "(more: -m SIZE)" },
	{ "A12", FIELD(pref_address), 0,
	  "its code: address 0 is below 1 MiB, where boot data lies" },
	{ "A12", FIELD(pref_address), 0x1000001,
	  "its address 0x1000001 is no multiple of 0x200000" },
	{ "A12", FIELD(pref_address), UINT64_MAX << 21,
	  "0x200000 bytes at 0xffffffffffe00000 are not all in the first "
	  "GiB" },
	{ "A12", FIELD(kernel_alignment), 0,
	  "its alignment 0 is no power of two up to 1 GiB" },
	{ "A12", FIELD(kernel_alignment), 3,
	  "its alignment 0x3 is no power of two up to 1 GiB" },
	{ "A12", FIELD(kernel_alignment), 0x80000000,
	  "its alignment 0x80000000 is no power of two up to 1 GiB" },
};

static void a11_a12_one_wrong_field(void **state)
{
	(void)state;
	expect_changes_refused(&bz, sizeof(bz), changes,
			       sizeof(changes) / sizeof(changes[0]));
}

static void any_damage_is_refused_or_harmless(void **state)
{
	(void)state;
	damage_each_byte(&bz, sizeof(bz), offsetof(struct bzimage, h),
			 offsetof(struct bzimage, setup));
}

/* 0 sectors of setup are 4. */
static void a11_no_setup_sectors_are_four(void **state)
{
	static const uint8_t more[0x1000];

	(void)state;
	bz.h.setup_sects = 0;
	write_image(&bz, sizeof(bz));
	expect_refused_at(path, "its code: truncated: its bytes are past the "
				"file's end");
	assert_int_equal(pwrite(file, more, sizeof(more), sizeof(bz)),
			 sizeof(more));
	assert_true(image_open(&im, path, NULL, &ram, &why));
	assert_int_equal(im.segment[0].file_offset, 5 * 512);
	image_close(&im);
}

static void a13_truncated_anywhere(void **state)
{
	(void)state;
	expect_cut_refused(&bz, sizeof(bz));
}

static void initrd_lies_as_high_as_it_may(void **state)
{
	(void)state;
	assert_int_equal(ftruncate(initrd, 5000), 0);
	take(initrd_path);
	assert_int_equal(im.initrd_bytes, 5000);
	assert_int_equal(im.initrd_at.v, 0x4000000 - 0x2000);
	assert_int_equal(im.segments, 2);
	assert_int_equal(im.segment[1].fd, im.initrd);
	assert_int_equal(im.segment[1].file_offset, 0);
	assert_int_equal(im.segment[1].file_bytes, 5000);
	image_close(&im);
	assert_int_equal(im.initrd, -1);

	bz.h.initrd_addr_max = 0x2ffffff;
	take(initrd_path);
	assert_int_equal(im.initrd_at.v, 0x3000000 - 0x2000);
	image_close(&im);
}

#define NO_ROOM(n)                                      \
	"its " n " bytes do not fit into guest memory " \
	"beside the kernel (more: -m SIZE)"

static void a14_initrd_without_room(void **state)
{
	(void)state;
	/* as much as lies behind the kernel */
	assert_int_equal(ftruncate(initrd, 0x4000000 - BZ_AT - BZ_BYTES), 0);
	take(initrd_path);
	assert_int_equal(im.initrd_at.v, BZ_AT + BZ_BYTES);
	image_close(&im);
	/* a byte more */
	assert_int_equal(ftruncate(initrd, 0x4000001 - BZ_AT - BZ_BYTES), 0);
	expect_initrd_refused(NO_ROOM("48234497"));
	/* more than RAM */
	assert_int_equal(ftruncate(initrd, 0x5000000), 0);
	expect_initrd_refused(NO_ROOM("83886080"));
	/* no place below what the kernel allows */
	assert_int_equal(ftruncate(initrd, 5000), 0);
	bz.h.initrd_addr_max = BZ_AT + BZ_BYTES - 1;
	expect_initrd_refused(NO_ROOM("5000"));
	bz.h.initrd_addr_max = 0;
	expect_initrd_refused(NO_ROOM("5000"));
}

static void a1_a16_a23_what_is_no_initrd(void **state)
{
	(void)state;
	expect_initrd_refused("it is empty");
	strcpy(initrd_path, "/dev/zero");
	expect_initrd_refused("not a regular file");
	strcpy(initrd_path, "/");
	expect_initrd_refused("it is a directory");
	strcpy(initrd_path, "/nonexistent");
	expect_initrd_refused("No such file or directory");
	snprintf(initrd_path, sizeof(initrd_path), "/proc/self/fd/%d", initrd);
	assert_int_equal(ftruncate(initrd, INT64_MAX & ~(off_t)PAGE_MASK), 0);
	expect_initrd_refused("it has 9223372036854771712 bytes; at most 16 "
			      "GiB are taken");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_bzimage_is_taken),
		TEST(a11_a12_one_wrong_field),
		TEST(any_damage_is_refused_or_harmless),
		TEST(a11_no_setup_sectors_are_four),
		TEST(a13_truncated_anywhere),
		TEST(initrd_lies_as_high_as_it_may),
		TEST(a14_initrd_without_room),
		TEST(a1_a16_a23_what_is_no_initrd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
