/* SPDX-License-Identifier: MIT */
/*
 * ext2 on disks that fail, are full, are of a kind that we do not know, or
 * hold nonsense: whatever it is, nothing breaks.
 */
#include "tests/unit/ext2_fixture.h"

/* What a run of everything does; any part may fail, only for I/O. */
static void everything(void)
{
	static uint8_t buffer[4 * PAGE_SIZE];
	int64_t errors[] = {
		make_dir("/dir"),
		make_file("/dir/a"),
		make_file("/dir/b"),
		write_at("/dir/a", 11 * PAGE_SIZE, buffer, sizeof(buffer)),
		write_at("/dir/a", 2000 * PAGE_SIZE, buffer, 100),
		write_at("/hello", 3, buffer, 10),
		inode_sync_all(false),
		empty("/dir/a"),
		read_at("/hello", 0, buffer, sizeof(buffer)),
		remove_path("/dir/b"),
		remove_path("/dir/a"),
		remove_path("/dir"),
		remove_path("/hello"),
		inode_sync_all(false),
	};

	for (unsigned i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		assert_true(errors[i] >= 0 || errors[i] == -OUR_EIO ||
			    errors[i] == -2 || errors[i] == -39);
}

/* One transfer fails, each in turn: then all goes on, and all is in order. */
static void each_transfer_fails(void **state)
{
	uint64_t before = file_frames(), n = 0, failed = 0;
	char folder[96];

	(void)state;
	do {
		if (n)
			close(disk_fd);
		disk_make(2, "", "");
		assert_int_equal(mount(), 0);
		assert_int_equal(make_file("/hello"), 0);
		assert_int_equal(write_at("/hello", 0, folder, 90), 90);
		unmount();
		transfers = 0;
		fail_at = ++n;
		if (mount() == 0) {
			everything();
			unmount();
		} else {
			mapping_drop_all();
			inode_drop_all();
			mapping_drop_all();
		}
		failed += transfers >= n;
		assert_int_equal(file_frames(), before);
		assert_int_equal(disk_check(), 0);
	} while (transfers >= n);
	assert_true(failed > 20);
	disk_end();
}

/* A full disk says so, and what failed has cost nothing. */
static void no_space(void **state)
{
	static uint8_t buffer[MIB];
	int64_t done, all = 0;

	(void)state;
	disk_make(4, "-N 16", "");
	assert_int_equal(mount(), 0);
	assert_int_equal(make_file("/large"), 0);
	while ((done = write_at("/large", (uint64_t)all, buffer, MIB)) > 0)
		all += done;
	assert_int_equal(done, -28);
	assert_int_equal(root_fs->super->free[EXT2_BLOCKS], 0);
	assert_int_equal(make_dir("/dir"), -28);
	assert_int_equal(empty("/large"), 0);
	assert_int_equal(make_dir("/dir"), 0);
	for (unsigned i = 0; i < 16; i++) {
		char path[16];

		snprintf(path, sizeof(path), "/dir/%u", i);
		done = make_file(path);
	}
	assert_int_equal(done, -28);
	unmount();
	assert_int_equal(disk_check(), 0);
	disk_end();
}

/* What we do not know is refused, or not written to. */
static void features(void **state)
{
	static const struct {
		const char *options;
		int error;
		bool readonly;
	} cases[] = {
		{ "-O ^filetype", -38, false },
		{ "-O ^dir_index,^resize_inode", 0, false },
		{ "-I 128", 0, false },
		{ "-I 256", 0, false },
		{ "-O extent", -38, false },
		{ "-O 64bit,extent", -38, false },
		{ "-O meta_bg,^resize_inode", -38, false },
		{ "-O uninit_bg", 0, true },
		{ "-r 0", -38, false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		disk_make(2, cases[i].options, "");
		assert_int_equal(mount(), cases[i].error);
		if (!cases[i].error) {
			int error = make_file("/x");

			assert_int_equal(error, cases[i].readonly ? -30 : 0);
			unmount();
			assert_int_equal(disk_check(), 0);
		}
		mapping_drop_all();
		close(disk_fd);
	}
	disk_make(2, "-b 1024", "");
	assert_int_equal(mount(), -38);
	mapping_drop_all();
	disk_end();
}

static void read_all(const char *path, unsigned depth)
{
	static uint8_t buffer[4 * PAGE_SIZE];
	char name[NAME_BYTES], below[1024];
	struct inode *i;
	uint64_t at = 0;

	if (depth > 3 || find(path, &i))
		return;
	if (!inode_is_directory(i))
		inode_copy(i, 0, NULL, (uintptr_t)buffer, sizeof(buffer),
			   false);
	while (inode_is_directory(i) && next_name(i, &at, name)) {
		snprintf(below, sizeof(below), "%s/%s", path, name);
		if (*name != '.')
			read_all(below, depth + 1);
	}
	inode_put(i);
}

/* Bytes of the tables are anything: no harm but wrong answers. */
static void nonsense(void **state)
{
	uint64_t before = file_frames();
	unsigned mounted = 0;

	(void)state;
	print_quiet = true;
	for (unsigned n = 0; n < 60; n++) {
		disk_make(2, "-N 64 -g 512", n % 2 ? "tests/model" : "");
		for (unsigned i = 0; i < 1 + n / 4; i++) {
			uint64_t byte = random_below(3)
						? random_below(9 * PAGE_SIZE)
						: 1024 + random_below(128);
			uint8_t value = (uint8_t)random_below(256);

			pwrite(disk_fd, &value, 1, (off_t)byte);
		}
		if (mount() == 0) {
			mounted++;
			read_all("", 0);
			make_dir("/dir");
			make_file("/dir/a");
			write_at("/dir/a", 50 * PAGE_SIZE, "x", 1);
			remove_path("/ept.c");
			remove_path("/dir/a");
			unmount();
		}
		mapping_discard(&disk.cache, 0, UINT64_MAX);
		close(disk_fd);
		assert_int_equal(file_frames(), before);
	}
	assert_true(mounted > 10);
	print_quiet = false;
	disk_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_transfer_fails),
		cmocka_unit_test(no_space),
		cmocka_unit_test(features),
		cmocka_unit_test(nonsense),
	};

	guest_ram();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
