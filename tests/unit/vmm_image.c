/* SPDX-License-Identifier: MIT */
/*
 * Guest images as files: a good one, what is no file, and what a medium does
 * to reads. Cases A1 to A23 are those of docs/hostile.md; A2 to A10 are in
 * vmm_image_fields.c.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/unit/image_case.h"

/* What the medium does to reads. */
static enum { READ_WELL, READ_BYTES, READ_EIO, READ_SHRINK } medium;
static unsigned preads;

/* Stands in for libc's: the loader is linked against this one. */
ssize_t pread(int fd, void *to, size_t len, off_t at);
ssize_t pread(int fd, void *to, size_t len, off_t at)
{
	preads++;
	if (medium == READ_EIO) {
		errno = EIO;
		return -1;
	}
	if (medium == READ_BYTES && preads % 2) {
		errno = EINTR;
		return -1;
	}
	if (medium == READ_SHRINK && preads == 1)
		assert_int_equal(ftruncate(file, 0x40), 0);
	if (medium == READ_BYTES && len)
		len = 1;
	return syscall(SYS_pread64, fd, to, len, at);
}

static int setup(void **state)
{
	(void)state;
	medium = READ_WELL;
	preads = 0;
	return image_begin();
}

static int teardown(void **state)
{
	(void)state;
	return close(file);
}

static void good_image_is_taken(void **state)
{
	int fd = lowest_free_fd();

	(void)state;
	write_image(&elf, sizeof(elf));
	assert_true(image_open(&im, path, NULL, &ram, &why));
	assert_int_equal(im.fd, fd);
	assert_true(fcntl(im.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(im.entry, ENTRY_AT);
	assert_int_equal(im.segments, 2);
	assert_int_equal(im.segment[0].at.v, TEXT_AT);
	assert_int_equal(im.segment[0].memory_bytes, 4096);
	assert_int_equal(im.segment[0].file_offset, 0x1000);
	assert_int_equal(im.segment[0].file_bytes, 4096);
	assert_int_equal(im.segment[1].at.v, DATA_AT);
	assert_int_equal(im.segment[1].memory_bytes, 8192);
	assert_int_equal(im.segment[1].file_offset, 0x2000);
	assert_int_equal(im.segment[1].file_bytes, 4096);
	image_close(&im);
	assert_int_equal(lowest_free_fd(), fd);
}

static void good_variants_are_taken(void **state)
{
	(void)state;
	elf.note.h.n_descsz = 8;
	expect_taken();
	elf.p[NOTES].p_align = 8;
	expect_taken();
	elf.p[NOTES].p_align = 0;
	expect_taken();
	/* a segment of nothing is passed over, wherever it says it lies */
	elf.p[DATA].p_filesz = elf.p[DATA].p_memsz = 0;
	elf.p[DATA].p_paddr = UINT64_MAX;
	expect_taken();
	assert_int_equal(im.segments, 1);
	/* an upper-half kernel: e_entry is a virtual address */
	elf.p[TEXT].p_vaddr = 0xffffffff80200000;
	elf.h.e_entry = 0xffffffff80200010;
	expect_taken();
	/* the first byte above boot's own, and the last ones of RAM */
	elf = good_elf();
	elf.p[DATA].p_paddr = 0x100000;
	expect_taken();
	elf.p[DATA].p_paddr = 0x4000000 - 8192;
	expect_taken();
	/* touching is not overlapping */
	elf.p[DATA].p_paddr = TEXT_AT + 4096;
	expect_taken();
	elf.p[DATA].p_paddr = TEXT_AT - 8192;
	expect_taken();
}

static void a1_what_is_no_image(void **state)
{
	char dir[] = "/tmp/vmm_image.XXXXXX", fifo[64];

	(void)state;
	expect_refused_at("/nonexistent", "No such file or directory");
	expect_refused_at("/dev/zero", "not a regular file");
	assert_non_null(mkdtemp(dir));
	expect_refused_at(dir, "it is a directory");
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	expect_refused_at(fifo, "not a regular file"); /* and does not hang */
	unlink(fifo);
	rmdir(dir);

	expect_refused_at(path, "it is empty");
	assert_int_equal(pwrite(file, "\177", 1, 0), 1);
	expect_refused_at(path, "truncated: 0x10 bytes at 0 are past its end");
	assert_int_equal(ftruncate(file, 1 << 30), 0); /* above RAM's size */
	expect_refused_at(path, "neither an ELF file nor a bzImage");
}

/* The longest walk there can be: empty notes of 12 bytes, and no end in sight
 * before the segment's. */
static void a9_walk_is_bounded(void **state)
{
	static const uint8_t zeros[0x10000];

	(void)state;
	elf.p[NOTES].p_offset = sizeof(elf);
	elf.p[NOTES].p_filesz = sizeof(zeros);
	write_image(&elf, sizeof(elf));
	assert_int_equal(pwrite(file, zeros, sizeof(zeros), sizeof(elf)),
			 sizeof(zeros));
	expect_refused_at(path, "no PVH entry (ELF note \"Xen\", type 18)");
	assert_int_equal(preads, 2); /* the head, and the notes behind it */
}

static void segments_have_an_end(void **state)
{
	Elf64_Phdr p[IMAGE_SEGMENTS + 2];

	(void)state;
	p[0] = elf.p[NOTES];
	for (unsigned i = 1; i < IMAGE_SEGMENTS + 2; i++) {
		p[i] = elf.p[TEXT];
		p[i].p_paddr += 4096 * (i - 1);
	}
	elf.h.e_phoff = sizeof(elf);
	elf.h.e_phnum = IMAGE_SEGMENTS + 1;
	write_image(&elf, sizeof(elf));
	assert_int_equal(pwrite(file, p, sizeof(p), sizeof(elf)), sizeof(p));
	assert_true(image_open(&im, path, NULL, &ram, &why));
	assert_int_equal(im.segments, IMAGE_SEGMENTS);
	assert_true(image_holds(&im, &ram));
	image_close(&im);

	elf.h.e_phnum++;
	assert_int_equal(pwrite(file, &elf, sizeof(elf), 0), sizeof(elf));
	expect_refused_at(path, "more than 16 segments");
}

static void a13_truncated_anywhere(void **state)
{
	(void)state;
	expect_cut_refused(&elf, sizeof(elf));
}

static void a20_shrinks_while_it_is_read(void **state)
{
	(void)state;
	medium = READ_SHRINK;
	expect_refused("it shrank while it was read");
	assert_int_equal(preads, 2); /* a short one, and one of nothing */
}

static void a21_short_and_interrupted_reads(void **state)
{
	(void)state;
	medium = READ_BYTES;
	expect_taken();
	/* two calls a byte of the head: one interrupted, one that gives it */
	assert_int_equal(preads, 2 * 8192);
	medium = READ_EIO;
	preads = 0;
	expect_refused("cannot read it: Input/output error");
	assert_int_equal(preads, 1);
}

static void a23_endless_sparse_file(void **state)
{
	off_t endless = INT64_MAX & ~(off_t)PAGE_MASK;

	(void)state;
	write_image(&elf, sizeof(elf));
	assert_int_equal(ftruncate(file, INT64_C(16) << 30), 0);
	assert_true(image_open(&im, path, NULL, &ram, &why));
	image_close(&im);
	assert_int_equal(ftruncate(file, endless), 0);
	expect_refused_at(path, "it has 9223372036854771712 bytes; at most 16 "
				"GiB are taken");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_image_is_taken),
		TEST(good_variants_are_taken),
		TEST(a1_what_is_no_image),
		TEST(a9_walk_is_bounded),
		TEST(segments_have_an_end),
		TEST(a13_truncated_anywhere),
		TEST(a20_shrinks_while_it_is_read),
		TEST(a21_short_and_interrupted_reads),
		TEST(a23_endless_sparse_file),
	};

	alarm(60); /* an open of a FIFO that waits ends here */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
