/* SPDX-License-Identifier: MIT */
/* What may be shared, and the object that its one copy is in. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/share_fixture.h"

static void expect_refused(const char *what, int error)
{
	struct share *s;

	assert_int_equal(share_open(&s, what), error);
}

static void what_is_no_file(void **state)
{
	char fifo[sizeof(path) + 8];

	(void)state;
	expect_refused("/nowhere/at/all", -ENOENT);
	expect_refused("/tmp", -EISDIR);
	expect_refused("/dev/zero", -EINVAL);
	snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	expect_refused(fifo, -EINVAL);
	unlink(fifo);
	assert_int_equal(truncate(path, 0), 0);
	expect_refused(path, -ENODATA);
}

/* A killed VM leaves its object; the next share of any file removes it. */
static void left_by_the_dead(void **state)
{
	char name[sizeof(((struct share *)0)->object.name)];
	struct share *s;
	int status;
	pid_t child;

	(void)state;
	child = fork();
	if (!child)
		_exit(share_open(&s, path) ? 1 : 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(share_open(&s, path), 0);
	strcpy(name, s->object.name);
	share_close(s);
	child = fork();
	if (!child)
		_exit(share_open(&s, path) ? 1 : 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(access(name, F_OK), 0);
	assert_int_equal(truncate(path, PAGE_SIZE), 0); /* another object */
	assert_int_equal(share_open(&s, path), 0);
	assert_int_equal(access(name, F_OK), -1);
	share_close(s);
}

/* An object that others could have written to is not believed. */
static void not_ours(void **state)
{
	char name[sizeof(((struct share *)0)->object.name)];
	struct share *s;

	(void)state;
	assert_int_equal(share_open(&s, path), 0);
	strcpy(name, s->object.name);
	share_close(s);
	close(open(name, O_CREAT | O_RDWR | O_EXCL, 0600));
	assert_int_equal(chmod(name, 0666), 0);
	assert_int_equal(share_open(&s, path), 0);
	assert_int_equal(s->object.alone, -EPERM);
	share_close(s);
	assert_int_equal(access(name, F_OK), 0);
	unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_file),
		TEST(left_by_the_dead),
		TEST(not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
