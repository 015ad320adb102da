/* SPDX-License-Identifier: MIT */
/* Names, holes and ends of files on ext2, case by case. */
#include "tests/unit/ext2_fixture.h"

/* The last byte that is three blocks of numbers away. */
static void triple_indirection(void **state)
{
	uint64_t at = (12 + KIB + MIB + 5 * MIB + 7) * PAGE_SIZE + 9;
	char byte = 'x', got = 0;
	struct inode *i;

	(void)state;
	disk_make(8, "-O ^large_file", "");
	assert_int_equal(mount(), 0);
	assert_int_equal(make_file("/far"), 0);
	assert_int_equal(write_at("/far", at, &byte, 1), 1);
	unmount();
	assert_int_equal(disk_check(), 0);
	assert_int_equal(mount(), 0);
	i = found("/far");
	assert_int_equal(i->disk->sectors, 4 * 8);
	assert_int_equal(i->bytes, at + 1);
	inode_put(i);
	assert_int_equal(read_at("/far", at, &got, 1), 1);
	assert_int_equal(got, 'x');
	assert_int_equal(read_at("/far", at - PAGE_SIZE, &got, 1), 1);
	assert_int_equal(got, 0);
	assert_int_equal(remove_path("/far"), 0);
	unmount();
	assert_int_equal(disk_check(), 0);
	disk_end();
}

/* What mke2fs put there, and what names may and may not do. */
static void names(void **state)
{
	char path[NAME_BYTES], text[64] = "";
	struct inode *dir;
	unsigned seen = 0;
	uint64_t at = 0;

	(void)state;
	disk_make(8, "", "tests/unit");
	assert_int_equal(mount(), 0);
	assert_int_equal(read_at("/walk.c", 0, text, 32), 32);
	assert_non_null(strstr(text, "SPDX"));
	assert_int_equal(make_dir("/walk.c"), -17);
	assert_int_equal(make_dir("/"), -17);
	assert_int_equal(remove_path("/"), -22);
	assert_int_equal(make_file("/walk.c/x"), -20);
	assert_int_equal(make_file("/no/x"), -2);
	assert_int_equal(remove_path("/no"), -2);
	assert_int_equal(make_dir("/dir"), 0);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "/dir/a name that is long: %u", i);
		assert_int_equal(make_file(path), 0);
	}
	assert_int_equal(remove_path("/dir"), -39);
	dir = found("/dir");
	assert_int_equal(dir->bytes, 3 * PAGE_SIZE);
	while (next_name(dir, &at, path))
		seen++;
	inode_put(dir);
	assert_int_equal(seen, 302);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "//dir/./a name that is long: %u",
			 i * 7 % 300);
		assert_int_equal(remove_path(path), 0);
	}
	assert_int_equal(remove_path("/dir/."), -22);
	assert_int_equal(remove_path("/dir"), 0);
	unmount();
	assert_int_equal(disk_check(), 0);
	disk_end();
}

/* A page of a hole is dirty as soon as it has a block, and still zeros. */
static void holes(void **state)
{
	static uint8_t buffer[64 * PAGE_SIZE];
	struct inode *i;
	struct frame *f;

	(void)state;
	disk_make(4, "-N 16", "");
	assert_int_equal(mount(), 0);
	memset(buffer, 'A', sizeof(buffer));
	assert_int_equal(make_file("/old"), 0);
	assert_int_equal(write_at("/old", 0, buffer, sizeof(buffer)),
			 sizeof(buffer));
	assert_int_equal(inode_sync_all(false), 0);
	assert_int_equal(remove_path("/old"), 0);
	assert_int_equal(make_file("/new"), 0);
	assert_int_equal(write_at("/new", sizeof(buffer) - 1, "", 1), 1);
	assert_int_equal(find("/new", &i), 0);
	for (uint64_t page = 0; page < 12; page++) {
		assert_int_equal(mapping_get(&i->pages, page, &f), 0);
		assert_int_equal(mapping_write(&i->pages, f), 0);
		assert_true(f->flags & FRAME_DIRTY);
		frame_put(f);
		assert_false(mapping_evict(f));
	}
	assert_int_equal(inode_sync_all(false), 0);
	mapping_drop_all();
	assert_int_equal(read_at("/new", 0, buffer, 12 * PAGE_SIZE),
			 12 * PAGE_SIZE);
	for (unsigned at = 0; at < 12 * PAGE_SIZE; at++)
		assert_int_equal(buffer[at], 0);

	/* What has left the cache gets no block. */
	assert_int_equal(mapping_get(&i->pages, 20, &f), 0);
	assert_int_equal(empty("/new"), 0);
	assert_int_equal(mapping_write(&i->pages, f), -OUR_EAGAIN);
	assert_int_equal(i->disk->sectors, 0);
	frame_put(f);
	inode_put(i);
	unmount();
	assert_int_equal(disk_check(), 0);
	disk_end();
}

/* A bad pointer costs no block; one that becomes bad leaves none behind the
 * end, and no page is read from a block that was never written. */
static void ends(void **state)
{
	static uint8_t buffer[PAGE_SIZE];
	struct inode *i;

	(void)state;
	disk_make(4, "-N 16", "");
	assert_int_equal(mount(), 0);
	assert_int_equal(make_file("/file"), 0);
	assert_int_equal(find("/file", &i), 0);
	assert_int_equal(inode_copy(i, 0, NULL, 1, 100, true), -14);
	assert_int_equal(i->disk->sectors, 0);
	assert_int_equal(inode_copy(i, 0, NULL, (uintptr_t)buffer, 100, true),
			 100);
	assert_int_equal(i->bytes, 100);
	assert_int_equal(inode_copy(i, 5 * PAGE_SIZE, NULL, 2, 100, true), -14);
	assert_int_equal(i->disk->sectors, 16);
	assert_int_equal(i->bytes, 5 * PAGE_SIZE + 100);
	inode_put(i);
	unmount();
	assert_int_equal(disk_check(), 0);
	disk_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(triple_indirection),
		cmocka_unit_test(names),
		cmocka_unit_test(holes),
		cmocka_unit_test(ends),
	};

	guest_ram();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
