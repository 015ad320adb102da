/* SPDX-License-Identifier: MIT */
/*
 * The commands of `twofold` and the words that each knows, written down once:
 * --help, the man pages and the shells' completion are made from this. To add a
 * command, add its entry in command_table.c; to add an option or a verb, add a
 * line to the command's words.
 */
#ifndef VMM_COMMAND_H
#define VMM_COMMAND_H

#include <stddef.h>
#include <stdio.h>

/* An option or a verb. Completion understands some arguments by their text:
 * FILE, POLICY, VM, and words in lower case between bars, as in on|off. */
struct word {
	char letter; /* of an option: 0: none */
	const char *name; /* as it is typed: "--json", "status" */
	const char *argument; /* "": none */
	const char *help; /* lines, without the last newline */
};

struct command {
	const char *name;
	const char *arguments; /* as in a synopsis */
	const char *purpose; /* half a line */
	int (*run)(int argc, char **argv); /* the words behind the name */
	const char *about; /* what more there is to say, lines */
	/* The first word of an array of these, or of what begins with one, each
	 * of so many bytes; ended by one without a name. NULL: no words. */
	const struct word *words;
	size_t word_bytes;
	void (*more)(FILE *to); /* what only the program knows; may be NULL */
};

extern const struct command commands[]; /* ended by one without a name */

/* NULL: there is none. */
const struct command *command_find(const char *name);

/* The @i-th word of @c; NULL: there are no more. */
const struct word *command_word(const struct command *c, unsigned i);

/* `twofold --help`, and `twofold NAME --help`. */
void command_list(FILE *to);
void command_help(const struct command *c, FILE *to);

#endif
