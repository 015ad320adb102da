/* SPDX-License-Identifier: MIT */
/* cat, ls, echo, random, rm, mkdir, sync: files. */
#include "guest/lib/format.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/lib/sys.h"
#include "guest/user/shell/tool.h"

static int copy_out(const char *name, int fd)
{
	static char buffer[4096];
	int64_t n;

	while ((n = sys_read(fd, buffer, sizeof(buffer))) > 0)
		if (write_all(1, buffer, (size_t)n))
			return 1;
	return n ? tool_fail("cat", name, n) : 0;
}

int tool_cat(int argc, char **argv)
{
	int status = argc > 1 ? 0 : copy_out("input", 0);

	for (int i = 1; i < argc; i++) {
		int64_t fd = sys_open(argv[i], OPEN_READ);

		if (fd < 0) {
			status = tool_fail(argv[0], argv[i], fd);
			continue;
		}
		status |= copy_out(argv[i], (int)fd);
		sys_close((int)fd);
	}
	return status;
}

static void print_entry(const char *directory, const struct dir_entry *e)
{
	char path[2 * NAME_BYTES];
	int64_t fd, bytes = 0;

	format(path, sizeof(path), "%s/%s", directory, e->name);
	fd = sys_open(path, OPEN_READ);
	if (fd >= 0) {
		bytes = sys_seek((int)fd, 0, SEEK_END);
		sys_close((int)fd);
	}
	printf("%6u %10ld %s%s\n", e->inode, bytes, e->name,
	       e->is_directory ? "/" : "");
}

int tool_ls(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/";
	int64_t fd = sys_open(path, OPEN_READ), more;
	struct dir_entry e;

	if (fd < 0)
		return tool_fail(argv[0], path, fd);
	while ((more = sys_readdir((int)fd, &e)) == 1)
		print_entry(path, &e);
	sys_close((int)fd);
	return more ? tool_fail(argv[0], path, more) : 0;
}

int tool_random(int argc, char **argv)
{
	int64_t fd = sys_open("/dev/random", OPEN_READ), n;
	uint64_t bits = 0;

	(void)argc;
	n = fd < 0 ? fd : sys_read((int)fd, &bits, sizeof(bits));
	if (n != sizeof(bits))
		return tool_fail(argv[0], "/dev/random", n);
	printf("%016lx\n", bits);
	return 0;
}

int tool_echo(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("%s%s", i > 1 ? " " : "", argv[i]);
	printf("\n");
	return 0;
}

/* The same call with each argument. */
static int for_each(int argc, char **argv, int64_t (*call)(const char *))
{
	int status = 0;

	for (int i = 1; i < argc; i++) {
		int64_t error = call(argv[i]);

		if (error)
			status = tool_fail(argv[0], argv[i], error);
	}
	return status;
}

int tool_rm(int argc, char **argv)
{
	return for_each(argc, argv, sys_unlink);
}

int tool_mkdir(int argc, char **argv)
{
	return for_each(argc, argv, sys_mkdir);
}

int tool_sync(int argc, char **argv)
{
	int64_t error = sys_sync();

	(void)argc;
	return error ? tool_fail(argv[0], "disks", error) : 0;
}
