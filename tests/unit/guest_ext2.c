/* SPDX-License-Identifier: MIT */
/*
 * ext2 against disks that mke2fs makes: what is done by random operations is
 * what a naive model says, what debugfs reads, and what e2fsck finds in order;
 * whichever transfer fails, nothing breaks.
 */
#include "tests/unit/guest_disk.h"

#define KIB 1024ul
#define MIB (1024 * KIB)

static int find(const char *path, struct inode **to)
{
	return path_do(dir_find, root_fs, path, to);
}

static struct inode *found(const char *path)
{
	struct inode *i;

	assert_int_equal(find(path, &i), 0);
	return i;
}

static int do_and_put(dir_fn *what, const char *path)
{
	struct inode *i = NULL;
	int error = path_do(what, root_fs, path, &i);

	if (!error && i)
		inode_put(i);
	return error;
}

/* A file that is there already stays as it is. */
static int make_file(const char *path)
{
	return do_and_put(dir_open, path);
}

static int make_dir(const char *path)
{
	return do_and_put(dir_mkdir, path);
}

static int remove_path(const char *path)
{
	return do_and_put(dir_unlink, path);
}

static int64_t write_at(const char *path, uint64_t at, const void *from,
			size_t n)
{
	struct inode *i;
	int64_t done = find(path, &i);

	if (done)
		return done;
	done = inode_copy(i, at, NULL, (uintptr_t)from, n, true);
	inode_put(i);
	return done;
}

static int64_t read_at(const char *path, uint64_t at, void *to, size_t n)
{
	struct inode *i;
	int64_t done = find(path, &i);

	if (done)
		return done;
	done = inode_copy(i, at, NULL, (uintptr_t)to, n, false);
	inode_put(i);
	return done;
}

static int empty(const char *path)
{
	struct inode *i;
	int error = find(path, &i);

	if (error)
		return error;
	error = inode_empty(i);
	inode_put(i);
	return error;
}

static uint64_t file_frames(void)
{
	frame_drain();
	return counts.frames[FRAME_FILE];
}

/* Random numbers that are the same in each run. */
static uint64_t seed = 42;

static uint64_t any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

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
	size_t n = 1 + any(any(4) ? 5000 : sizeof(buffer));
	uint64_t at = any(any(3) ? 200 * KIB : FILE_MOST - sizeof(buffer));

	memset(buffer, (int)any(256), n);
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
	unsigned file = (unsigned)any(FILES);

	if (!model[file].exists) {
		assert_int_equal(make_file(path_of(file)), 0);
		model[file].exists = true;
		return;
	}
	switch (any(8)) {
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
		if (!any(4))
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

/* Of the next entry that is in use. Whatever it says of its size is believed
 * only as far as there is room. */
static bool next_name(struct inode *dir, uint64_t *at, char name[NAME_BYTES])
{
	union {
		struct ext2_entry entry;
		char bytes[sizeof(struct ext2_entry) + NAME_BYTES];
	} room = { 0 };
	const struct ext2_entry *e = &room.entry;

	do {
		if (inode_copy(dir, *at, NULL, (uintptr_t)&room, sizeof(room),
			       false) <= 0 ||
		    e->bytes < sizeof(*e))
			return false;
		*at += e->bytes;
	} while (!e->inode);
	memcpy(name, e->name, e->name_bytes);
	name[e->name_bytes] = '\0';
	return true;
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
			uint64_t byte =
				any(3) ? any(9 * PAGE_SIZE) : 1024 + any(128);
			uint8_t value = (uint8_t)any(256);

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
		cmocka_unit_test(random_operations),
		cmocka_unit_test(triple_indirection),
		cmocka_unit_test(each_transfer_fails),
		cmocka_unit_test(names),
		cmocka_unit_test(holes),
		cmocka_unit_test(ends),
		cmocka_unit_test(no_space),
		cmocka_unit_test(features),
		cmocka_unit_test(nonsense),
	};

	guest_ram();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
