/* SPDX-License-Identifier: MIT */
/* The commands of `twofold`. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/ctl.h"
#include "vmm/doctor.h"
#include "vmm/explain.h"
#include "vmm/replay.h"
#include "vmm/run.h"
#include "vmm/trace.h"
#include "vmm/walk_view.h"

static const struct {
	const char *name, *arguments, *purpose;
	int (*run)(int argc, char **argv); /* the words behind the name */
} commands[] = {
	{ "run", "[OPTIONS] [GUEST] [-- GUEST ARGS]",
	  "launch (default: the sample guest)", cmd_run },
	{ "ctl", "VM VERB [ARGS]",
	  "steer a running VM: status, audit, resident, pause, …", cmd_ctl },
	{ "explain", "VM ADDRESS [--json]",
	  "both stages of one address of a running VM, and why", cmd_explain },
	{ "walk", "VM ADDRESS [--json] [--svg FILE]",
	  "the two-dimensional walk, reference by reference", cmd_walk },
	{ "trace", "print FILE", "show what a --trace FILE recorded",
	  cmd_trace },
	{ "replay", "TRACE --frames N[,N...] [OPTIONS]",
	  "every policy, and OPT, on recorded references", cmd_replay },
	{ "doctor", "[--json]", "what this host offers, and how to fix it",
	  cmd_doctor },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fprintf(to, "usage:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  twofold %-7s %-34s %s\n", commands[i].name,
			commands[i].arguments, commands[i].purpose);
	fprintf(to, "\n`twofold run --help` lists the options.\n");
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
	open_standard_streams();
	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 2, argv + 2);
	if (argc > 1)
		fprintf(stderr, "twofold: no command '%s'\n", argv[1]);
	usage(stderr);
	return 2;
}
