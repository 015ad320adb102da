/* SPDX-License-Identifier: MIT */
#include "guest/user/shell/tool.h"

#include "guest/lib/string.h"
#include "guest/user/lib/stdio.h"

const struct tool tools[] = {
	{ "ps", tool_ps, "", "processes" },
	{ "maps", tool_maps, "PID", "its areas" },
	{ "pagemap", tool_pagemap, "PID ADDRESS", "entry by entry, and bits" },
	{ "free", tool_free, "", "frames and swap slots" },
	{ "buddyinfo", tool_buddyinfo, "", "free blocks of each order" },
	{ "slabinfo", tool_slabinfo, "", "caches of small objects" },
	{ "vmstat", tool_vmstat, "", "what has been counted so far" },
	{ "cat", tool_cat, "[FILE ...]", "what is in it" },
	{ "ls", tool_ls, "[DIRECTORY]", "its files" },
	{ "random", tool_random, "", "64 bits of /dev/random" },
	{ "echo", tool_echo, "[WORD ...]", "the words" },
	{ "rm", tool_rm, "FILE ...", "remove it" },
	{ "mkdir", tool_mkdir, "DIRECTORY ...", "make it" },
	{ "sync", tool_sync, "", "all that is dirty, to the disks" },
	{ "kill", tool_kill, "PID", "end it" },
	{ "help", tool_help, "", "this" },
};

const unsigned tool_count = sizeof(tools) / sizeof(tools[0]);

const struct tool *tool_find(const char *name)
{
	for (unsigned i = 0; i < tool_count; i++)
		if (streq(tools[i].name, name))
			return &tools[i];
	return NULL;
}

int tool_fail(const char *name, const char *what, long error)
{
	dprintf(2, "%s: %s: error %ld\n", name, what,
		error < 0 ? -error : error);
	return 1;
}

int tool_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < tool_count; i++)
		printf("%-10s %-14s %s\n", tools[i].name, tools[i].arguments,
		       tools[i].what);
	printf("%-25s %s\n", "list", "the demonstrations: each is a command");
	printf("%-25s %s\n", "tour", "all of them");
	printf("%-25s %s\n", "exit [STATUS]", "also: control-D");
	printf("Other words are programs in /bin. A | B, A > FILE, A ; B\n");
	return 0;
}
