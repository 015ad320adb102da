/* SPDX-License-Identifier: MIT */
/* Files that the capsule is given: its script's words, its archive, its
 * disks. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/capsule_disk.h"
#include "vmm/cpio.h"
#include "vmm/words.h"

#define MIB (UINT64_C(1) << 20)

/* Run @command with @fd as its standard input; its output. */
static void output_of(const char *command, int fd, char *to, size_t room)
{
	char line[256];

	snprintf(line, sizeof(line), "</proc/%d/fd/%d %s", getpid(), fd,
		 command);
	FILE *f = popen(line, "r");
	size_t n = fread(to, 1, room - 1, f);

	to[n] = 0;
	assert_int_equal(pclose(f), 0);
}

/* A shell reads back exactly the words that were written. */
static void a_shell_reads_words_back(void **state)
{
	static const char *const word[] = { "plain",	 "",
					    "two words", "it's",
					    "a\nb",	 "$HOME `x` \\ \"q\"",
					    "*",	 "'" };
	struct words w = { 0 };
	char got[256], *at = got;
	int fd = memfd_create("words", 0);
	FILE *f = fdopen(fd, "w");

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		words_add(&w, "%s", word[i]);
	fputs("set --", f);
	words_quote(&w, f);
	fputs("printf '%s\\0' \"$@\"\n", f);
	fflush(f);
	output_of("sh", fd, got, sizeof(got));
	for (unsigned i = 0; i < 8; i++) {
		assert_string_equal(at, word[i]);
		at += strlen(at) + 1;
	}
	words_free(&w);
	fclose(f);
}

/* cpio itself reads what we write: names of all lengths modulo 4, contents of
 * all lengths modulo 4. */
static void cpio_reads_the_archive(void **state)
{
	int to = memfd_create("archive", 0), from = memfd_create("file", 0);
	char got[256];

	(void)state;
	assert_int_equal(write(from, "from a file\n", 12), 12);
	assert_int_equal(cpio_file(to, "a", S_IFREG | 0644, "1\n", 2), 0);
	assert_int_equal(cpio_file(to, "bb", S_IFREG | 0644, "22\n", 3), 0);
	assert_int_equal(cpio_file(to, "ccc", S_IFREG | 0644, "", 0), 0);
	assert_int_equal(cpio_file(to, "dddd", S_IFREG | 0644, "4", 1), 0);
	assert_int_equal(cpio_copy(to, "e/file", S_IFREG | 0755, from), 0);
	assert_int_equal(cpio_end(to), 0);
	assert_int_equal(lseek(to, 0, SEEK_CUR) % 4, 0);

	output_of("cpio -t --quiet", to, got, sizeof(got));
	assert_string_equal(got, "a\nbb\nccc\ndddd\ne/file\n");
	output_of("cpio -i --quiet --to-stdout", to, got, sizeof(got));
	assert_string_equal(got, "1\n22\n4from a file\n");
	output_of("cpio -tv --quiet | cut -c 1-10 | tail -n 1", to, got,
		  sizeof(got));
	assert_string_equal(got, "-rwxr-xr-x\n");
	close(to);
	close(from);
}

/* An archive behind another one, whatever that one's size, starts at a
 * multiple of 4, as the kernel wants it. */
static void appended_archives_are_aligned(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 8; n++) {
		int to = memfd_create("to", 0), from = memfd_create("from", 0);

		assert_int_equal(write(from, "01234567", n), n);
		assert_int_equal(cpio_append(to, from), 0);
		assert_int_equal(lseek(to, 0, SEEK_CUR), (n + 3) / 4 * 4);
		close(to);
		close(from);
	}
}

static void a_disk_is_preallocated_and_unnamed(void **state)
{
	struct swap_option s = { .path = (char *)"/tmp", .size = MIB + 1 };
	struct complaint why;
	struct stat st;
	int fd = capsule_disk(&s, 7, &why);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_size, MIB + 4096);
	assert_true(st.st_blocks * 512 >= st.st_size);
	close(fd);
	s.size = 0;
	fd = capsule_disk(&s, 2 * MIB, &why);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 2 * MIB);
	close(fd);
}

static void a_disk_that_cannot_be_had_says_why(void **state)
{
	static const struct {
		const char *path;
		uint64_t size;
		const char *say;
	} bad[] = {
		{ "/no/such/folder", MIB, "/no/such/folder: No such file" },
		{ "/dev/null", MIB, "/dev/null: Not a directory" },
		{ "/proc", MIB, "/proc: " },
		{ "/tmp", UINT64_C(1) << 50, "/tmp: " },
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct swap_option s = { .path = (char *)bad[i].path,
					 .size = bad[i].size };
		struct complaint why = { "" };

		assert_int_equal(capsule_disk(&s, MIB, &why), -1);
		assert_non_null(strstr(why.text, bad[i].say));
		assert_null(strchr(why.text, '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shell_reads_words_back),
		cmocka_unit_test(cpio_reads_the_archive),
		cmocka_unit_test(appended_archives_are_aligned),
		cmocka_unit_test(a_disk_is_preallocated_and_unnamed),
		cmocka_unit_test(a_disk_that_cannot_be_had_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
