/* SPDX-License-Identifier: MIT */
/* `twofold COMMAND ...`; the commands are in command_table.c. */
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/command.h"

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* A file opened later must not become a standard stream that was closed. */
static void open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct command *c = argc > 1 ? command_find(argv[1]) : NULL;

	open_standard_streams();
	/* Several threads allocate, but seldom: no memory of its own for each. */
	mallopt(M_ARENA_MAX, 1);
	if (c && argc > 2 && is_help(argv[2])) {
		command_help(c, stdout);
		return 0;
	}
	if (c)
		return c->run(argc - 2, argv + 2);
	if (argc > 1 && is_help(argv[1])) {
		command_list(stdout);
		return 0;
	}
	if (argc > 1)
		fprintf(stderr, "twofold: no command '%s'\n", argv[1]);
	command_list(stderr);
	return 2;
}
