/* SPDX-License-Identifier: MIT */
/*
 * ext2 against disks that mke2fs makes: what is done by random operations is
 * what a naive model says, what debugfs reads, and what e2fsck finds in order.
 */
#include "tests/unit/ext2_fixture.h"

/* The model: some files, each a buffer. */
#define FILES	  12u
#define FILE_MOST (5 * MIB) /* sparse: reaches into double indirection */

static struct {
	bool exists;
	uint64_t bytes;
	uint8_t *content;
} model[FILES];

static const char *path_of(unsigned file)
{
	static char path[64];

	snprintf(path, sizeof(path), "/folder%u/file-%u", file % 3, file);
	return path;
}

static void model_write(unsigned file)
{
	static uint8_t buffer[64 * KIB];
	size_t n = 1 + random_below(random_below(4) ? 5000 : sizeof(buffer));
	uint64_t at = random_below(
		random_below(3) ? 200 * KIB : FILE_MOST - sizeof(buffer));

	memset(buffer, (int)random_below(256), n);
	assert_int_equal(write_at(path_of(file), at, buffer, n), n);
	memcpy(model[file].content + at, buffer, n);
	if (at + n > model[file].bytes)
		model[file].bytes = at + n;
}

static void model_empty(unsigned file)
{
	assert_int_equal(empty(path_of(file)), 0);
	memset(model[file].content, 0, FILE_MOST);
	model[file].bytes = 0;
}

static void model_check(unsigned file)
{
	static uint8_t buffer[FILE_MOST];
	struct inode *i = found(path_of(file));

	assert_int_equal(i->bytes, model[file].bytes);
	inode_put(i);
	assert_int_equal(read_at(path_of(file), 0, buffer, sizeof(buffer)),
			 model[file].bytes);
	assert_memory_equal(buffer, model[file].content, model[file].bytes);
}

static void model_step(void)
{
	unsigned file = (unsigned)random_below(FILES);

	if (!model[file].exists) {
		assert_int_equal(make_file(path_of(file)), 0);
		model[file].exists = true;
		return;
	}
	switch (random_below(8)) {
	case 0:
		assert_int_equal(remove_path(path_of(file)), 0);
		memset(model[file].content, 0, FILE_MOST);
		model[file].exists = false;
		model[file].bytes = 0;
		break;
	case 1:
		model_empty(file);
		break;
	case 2:
		if (!random_below(4))
			model_check(file);
		break;
	case 3:
		assert_int_equal(inode_sync_all(false), 0);
		mapping_drop_all();
		inode_drop_all();
		break;
	default:
		model_write(file);
	}
}

/* All files as debugfs reads them. */
static void compare_with_debugfs(void)
{
	assert_int_equal(run("mkdir %s/out && debugfs -R 'rdump / %s/out' %s "
			     "2>%s/log",
			     disk_folder, disk_folder, disk_path, disk_folder),
			 0);
	for (unsigned i = 0; i < FILES; i++) {
		static uint8_t buffer[FILE_MOST];
		char path[192];
		FILE *f;

		snprintf(path, sizeof(path), "%s/out%s", disk_folder,
			 path_of(i));
		f = fopen(path, "r");
		assert_int_equal(f != NULL, model[i].exists);
		if (!f)
			continue;
		assert_int_equal(fread(buffer, 1, sizeof(buffer), f),
				 model[i].bytes);
		assert_memory_equal(buffer, model[i].content, model[i].bytes);
		fclose(f);
	}
}

static void random_operations(void **state)
{
	uint64_t before = file_frames();

	(void)state;
	disk_make(24, "-g 1024", "");
	assert_int_equal(mount(), 0);
	for (unsigned i = 0; i < 3; i++) {
		char path[] = "/folder0";

		path[7] = (char)('0' + i);
		assert_int_equal(make_dir(path), 0);
	}
	for (unsigned i = 0; i < FILES; i++)
		model[i].content = calloc(1, FILE_MOST);
	for (unsigned n = 0; n < 4; n++) {
		for (unsigned i = 0; i < 250; i++)
			model_step();
		unmount();
		assert_int_equal(file_frames(), before);
		assert_int_equal(disk_check(), 0);
		assert_int_equal(mount(), 0);
	}
	for (unsigned i = 0; i < FILES; i++)
		if (model[i].exists)
			model_check(i);
	unmount();
	compare_with_debugfs();
	for (unsigned i = 0; i < FILES; i++)
		free(model[i].content);
	disk_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations),
	};

	guest_ram();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
