/* SPDX-License-Identifier: MIT */
#include "vmm/manual/pages.h"

#include <ctype.h>
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* @text so that troff prints it as it is. */
static void plain(const char *text, FILE *to)
{
	bool first = true; /* of a line: a dot or quote there is a request */

	for (; *text; text++) {
		if (first && (*text == '.' || *text == '\''))
			fputs("\\&", to);
		if (*text == '\\')
			fputs("\\e", to);
		else if (*text == '-')
			fputs("\\-", to);
		else
			fputc(*text, to);
		first = *text == '\n';
	}
}

static void section(const char *name, FILE *to)
{
	fprintf(to, ".SH %s\n", name);
}

/* The page "twofold", or "twofold-NAME". */
static void begin(const char *name, const char *purpose, FILE *to)
{
	const char *dash = name ? "-" : "";

	name = name ? name : "";
	fprintf(to, ".TH \"TWOFOLD%s", dash);
	for (const char *c = name; *c; c++)
		fputc(toupper((unsigned char)*c), to);
	fputs("\" 1 \"\" twofold twofold\n", to);
	section("NAME", to);
	fprintf(to, "twofold%s%s \\- ", dash, name);
	plain(purpose, to);
	fputc('\n', to);
}

/* A word and its argument, then its help, line by line as it is. */
static void item(const struct word *w, FILE *to)
{
	fputs(".TP\n\\fB", to);
	if (w->letter)
		fprintf(to, "\\-%c\\fR, \\fB", w->letter);
	plain(w->name, to);
	fputs("\\fR", to);
	if (*w->argument) {
		fputs(" \\fI", to);
		plain(w->argument, to);
		fputs("\\fR", to);
	}
	fputs("\n.nf\n", to);
	plain(w->help, to);
	fputs("\n.fi\n", to);
}

/* The options, or the verbs, if there are any. */
static void items(const struct command *c, bool options, FILE *to)
{
	const struct word *w;
	bool none = true;

	for (unsigned i = 0; (w = command_word(c, i)); i++) {
		if ((w->name[0] == '-') != options)
			continue;
		if (none)
			section(options ? "OPTIONS" : "VERBS", to);
		none = false;
		item(w, to);
	}
}

static void more(const struct command *c, FILE *to)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		err(1, "no memory");
	c->more(f);
	fclose(f);
	section("NOTES", to);
	fputs(".nf\n", to);
	plain(text, to);
	fputs("\n.fi\n", to);
	free(text);
}

static void see_also(const char *but, FILE *to)
{
	const char *comma = "";

	section("SEE ALSO", to);
	if (but) {
		fputs(".BR twofold (1)", to);
		comma = ",\n";
	}
	for (const struct command *c = commands; c->name; c++) {
		if (but && !strcmp(but, c->name))
			continue;
		fprintf(to, "%s.BR twofold\\-%s (1)", comma, c->name);
		comma = ",\n";
	}
	fputc('\n', to);
}

void page_command(const struct command *c, FILE *to)
{
	begin(c->name, c->purpose, to);
	section("SYNOPSIS", to);
	fprintf(to, ".B twofold %s\n", c->name);
	plain(c->arguments, to);
	fputc('\n', to);
	section("DESCRIPTION", to);
	plain(c->about, to);
	fputc('\n', to);
	items(c, false, to);
	items(c, true, to);
	if (c->more)
		more(c, to);
	see_also(c->name, to);
}

void page_overview(FILE *to)
{
	begin(NULL, "a hypervisor whose speciality is guest memory", to);
	section("SYNOPSIS", to);
	fputs(".B twofold\n.I COMMAND\n\\&...\n", to);
	section("DESCRIPTION", to);
	fputs("Runs a KVM guest and pages it itself, under a hard cap, to "
	      "compressed memory,\nfiles and servers; steers it while it runs; "
	      "shows both stages of its address\ntranslation, fault by "
	      "fault.\n",
	      to);
	section("COMMANDS", to);
	for (const struct command *c = commands; c->name; c++) {
		fprintf(to, ".TP\n.BR twofold\\-%s (1)\n", c->name);
		plain(c->purpose, to);
		fputc('\n', to);
	}
	section("FILES", to);
	fputs(".TP\n"
	      ".I ${XDG_RUNTIME_DIR:\\-/run}/twofold/NAME.sock\n"
	      "A running VM's control API: HTTP with JSON; metrics for "
	      "Prometheus at /metrics.\n",
	      to);
	see_also(NULL, to);
}
