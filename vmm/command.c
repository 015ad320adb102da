/* SPDX-License-Identifier: MIT */
#include "vmm/command.h"

#include <string.h>

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

const struct word *command_word(const struct command *c, unsigned i)
{
	const struct word *w =
		(const void *)((const char *)c->words + i * c->word_bytes);

	return c->words && w->name ? w : NULL;
}

void command_list(FILE *to)
{
	fputs("usage: twofold COMMAND ...\n", to);
	for (const struct command *c = commands; c->name; c++)
		fprintf(to, "  %-8s %s\n", c->name, c->purpose);
	fputs("`twofold COMMAND --help` says how.\n", to);
}

/* @text, each line behind @indent. */
static void lines(const char *text, const char *indent, FILE *to)
{
	for (const char *end; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		fprintf(to, "%s%.*s\n", indent, (int)(end - text), text);
	}
}

static void word_help(const struct word *w, FILE *to)
{
	if (w->letter)
		fprintf(to, "  -%c, %s", w->letter, w->name);
	else
		fprintf(to, "      %s", w->name);
	fprintf(to, "%s%s\n", *w->argument ? " " : "", w->argument);
	lines(w->help, "            ", to);
}

void command_help(const struct command *c, FILE *to)
{
	const struct word *w;

	fprintf(to, "usage: twofold %s %s\n", c->name, c->arguments);
	lines(c->about, "", to);
	if (c->words)
		fputs("\n", to);
	for (unsigned i = 0; (w = command_word(c, i)); i++)
		word_help(w, to);
	if (c->more) {
		fputs("\n", to);
		c->more(to);
	}
}
