/* SPDX-License-Identifier: MIT */
/* What can be a disk, what cannot, and who may share it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/disk.h"

#define MIB (1 << 20)

static char folder[] = "/tmp/disk-XXXXXX";
static char path[64];
static struct disk_option option = { .path = path };

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(folder);
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* A file of @bytes, zeros but for the last three. */
static void make_file(const char *name, off_t bytes)
{
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	if (bytes > 3)
		assert_int_equal(pwrite(fd, "end", 3, bytes - 3), 3);
	close(fd);
}

static struct disk open_good(struct disk_option o)
{
	struct complaint why = { "" };
	struct disk d;

	if (!disk_open(&d, &o, &why))
		fail_msg("%s", why.text);
	return d;
}

static void open_bad(struct disk_option o, const char *say)
{
	struct complaint why = { "" };
	struct disk d;

	assert_false(disk_open(&d, &o, &why));
	if (!strstr(why.text, say))
		fail_msg("'%s' does not say '%s'", why.text, say);
	assert_null(strchr(why.text, '\n'));
}

static void a_file_is_a_disk(void **state)
{
	struct disk d;

	(void)state;
	make_file("good", MIB);
	d = open_good(option);
	assert_int_equal(d.bytes, MIB);
	assert_false(d.block);
	assert_int_equal(pwrite(d.fd, "x", 1, 0), 1);
	close(d.fd);
	unlink(path);
}

/* A1, for disks: refused at once, with a line. */
static void what_is_no_disk_is_refused(void **state)
{
	(void)state;
	open_bad((struct disk_option){ .path = (char *)"/dev/zero" },
		 "neither a file nor a block device");
	open_bad((struct disk_option){ .path = (char *)"/tmp" },
		 "Is a directory");
	open_bad((struct disk_option){ .path = (char *)"/tmp",
				       .readonly = true },
		 "neither a file nor a block device");
	open_bad((struct disk_option){ .path = (char *)"/no/such" },
		 "No such file");
	make_file("empty", 0);
	open_bad(option, "its 0 bytes are no whole number of sectors");
	unlink(path);
	make_file("odd", 513);
	open_bad(option, "its 513 bytes are no whole number of sectors");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	open_bad(option, "neither a file nor a block device");
	open_bad((struct disk_option){ .path = path, .readonly = true },
		 "neither a file nor a block device");
	unlink(path);
}

/* D25 */
static void one_writer_or_many_readers(void **state)
{
	struct disk_option reader = { .path = path, .readonly = true };
	struct disk a, b;

	(void)state;
	make_file("shared", MIB);
	a = open_good(option);
	open_bad(option, "another VM is using it");
	open_bad(reader, "another VM is using it");
	close(a.fd);
	a = open_good(reader);
	b = open_good(reader);
	open_bad(option, "another VM is using it");
	close(a.fd);
	close(b.fd);
	a = open_good(option);
	close(a.fd);
	unlink(path);
}

static void a_copy_is_private(void **state)
{
	struct disk_option copied = { .path = path, .copy = true };
	struct disk d;
	struct stat st;
	char text[4] = "";

	(void)state;
	make_file("copied", 8 * MIB);
	d = open_good(copied);
	assert_int_equal(disk_make(&copied, &d.fd), 0);
	assert_int_equal(fstat(d.fd, &st), 0);
	assert_int_equal(st.st_size, 8 * MIB);
	assert_int_equal(st.st_nlink, 0);
	assert_true(st.st_blocks * 512 < MIB); /* holes stay holes */
	assert_int_equal(pread(d.fd, text, 3, 8 * MIB - 3), 3);
	assert_string_equal(text, "end");
	assert_int_equal(pwrite(d.fd, "new", 3, 8 * MIB - 3), 3);
	close(d.fd);
	d = open_good(option); /* nobody holds it any more */
	assert_int_equal(pread(d.fd, text, 3, 8 * MIB - 3), 3);
	assert_string_equal(text, "end");
	close(d.fd);
	unlink(path);
}

static void a_scratch_disk_has_no_name(void **state)
{
	struct disk_option scratch = { .bytes = 3 * MIB };
	struct disk d = open_good(scratch);
	struct stat st;

	(void)state;
	assert_int_equal(disk_make(&scratch, &d.fd), 0);
	assert_int_equal(fstat(d.fd, &st), 0);
	assert_int_equal(d.bytes, 3 * MIB);
	assert_int_equal(st.st_size, 3 * MIB);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_blocks, 0);
	close(d.fd);
}

/* The sample guest's image is looked for beside the program. */
static void image_path(char to[PATH_MAX], const char *name)
{
	ssize_t n = readlink("/proc/self/exe", to, PATH_MAX / 2);

	assert_true(n > 0);
	to[n] = 0;
	strcpy(strrchr(to, '/'), name);
}

static void the_sample_guest_has_two_disks(void **state)
{
	struct run_options o = { .disks = 0 };
	char guest[PATH_MAX], image[PATH_MAX];
	struct complaint why;

	(void)state;
	image_path(guest, "/guest");
	image_path(image, "/guest/disk.img");
	assert_true(disk_defaults(&o, &why));
	assert_int_equal(o.disks, 0);
	assert_int_equal(mkdir(guest, 0700), 0);
	close(open(image, O_CREAT | O_RDWR, 0600));

	assert_true(disk_defaults(&o, &why));
	assert_int_equal(o.disks, 2);
	assert_string_equal(o.disk[0].path, image);
	assert_true(o.disk[0].copy);
	assert_null(o.disk[1].path);
	assert_int_equal(o.disk[1].bytes, 64 * MIB);
	options_free(&o);

	o = (struct run_options){ .kernel = image };
	assert_true(disk_defaults(&o, &why));
	assert_int_equal(o.disks, 0);
	o = (struct run_options){ .disks = 1 };
	assert_true(disk_defaults(&o, &why));
	assert_int_equal(o.disks, 1);
	unlink(image);
	rmdir(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_a_disk),
		cmocka_unit_test(what_is_no_disk_is_refused),
		cmocka_unit_test(one_writer_or_many_readers),
		cmocka_unit_test(a_copy_is_private),
		cmocka_unit_test(a_scratch_disk_has_no_name),
		cmocka_unit_test(the_sample_guest_has_two_disks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
