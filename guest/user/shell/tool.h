/* SPDX-License-Identifier: MIT */
/*
 * What the shell can do by itself: each tool is like the main of a program of
 * its own, and runs in a child of the shell.
 */
#pragma once

typedef int tool_fn(int argc, char **argv);

struct tool {
	const char *name;
	tool_fn *run;
	const char *arguments, *what;
};

extern const struct tool tools[];
extern const unsigned tool_count;

/* The tool of that name, or NULL. */
const struct tool *tool_find(const char *name);

/* "NAME: WHAT: error N" on the console; 1, for main to return. */
int tool_fail(const char *name, const char *what, long error);

tool_fn tool_ps, tool_maps, tool_pagemap, tool_free, tool_buddyinfo,
	tool_slabinfo, tool_vmstat, tool_cat, tool_ls, tool_echo, tool_rm,
	tool_mkdir, tool_sync, tool_random, tool_kill, tool_help;
