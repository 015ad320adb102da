/* SPDX-License-Identifier: MIT */
/*
 * Completion for bash. Behind a command come VMs where its synopsis begins with
 * one, and its words; behind a word what its argument's text says (command.h);
 * file names where one is wanted.
 */
#include "vmm/manual/pages.h"

#include <stdbool.h>
#include <string.h>

#include "ept/policy.h"

static const char vms[] = "$(_twofold_vms)";

/* A piece of a synopsis: "FILE [-o FILE] [--json]" has four. */
struct piece {
	const char *at;
	int len; /* 0: none */
};

static struct piece next_piece(const char **rest)
{
	struct piece p = { .at = *rest + strspn(*rest, " []") };

	p.len = (int)strcspn(p.at, " ]");
	*rest = p.at + p.len;
	return p;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool is_choice(struct piece p)
{
	return memchr(p.at, '|', (size_t)p.len) &&
	       (int)strspn(p.at, "abcdefghijklmnopqrstuvwxyz|") >= p.len;
}

static void policy_list(FILE *to)
{
	for (unsigned i = 0; policies[i]; i++)
		fprintf(to, "%s%s", i ? " " : "", policies[i]->name);
}

/* What completes an argument, as bash. */
static void complete(struct piece argument, FILE *to)
{
	if (begins(argument.at, "FILE") || begins(argument.at, "PATH")) {
		fputs("files=y", to);
	} else if (begins(argument.at, "VM")) {
		fprintf(to, "words=\"%s\"", vms);
	} else if (begins(argument.at, "POLICY")) {
		fputs("words='", to);
		policy_list(to);
		fputc('\'', to);
	} else if (is_choice(argument)) {
		fputs("words='", to);
		for (int i = 0; i < argument.len; i++)
			fputc(argument.at[i] == '|' ? ' ' : argument.at[i], to);
		fputc('\'', to);
	} else {
		fputc(':', to);
	}
}

/* The cases of "what is behind this word?": of @w, and of the options in its
 * synopsis; none for one without an argument. */
static void behind(const struct word *w, FILE *to)
{
	struct piece asks = { w->name, (int)strlen(w->name) }, p;
	const char *rest = w->argument;

	while ((p = next_piece(&rest)).len) {
		if (*p.at == '-') {
			asks = p;
			continue;
		}
		if (asks.len) {
			fputs("\t\t", to);
			if (w->letter)
				fprintf(to, "-%c|", w->letter);
			fprintf(to, "%.*s) ", asks.len, asks.at);
			complete(p, to);
			fputs(" ;;\n", to);
		}
		asks.len = 0;
	}
}

/* @w, and the options in its synopsis. */
static void names(const struct word *w, FILE *to)
{
	const char *rest = w->argument;
	struct piece p;

	fputs(w->name, to);
	while ((p = next_piece(&rest)).len)
		if (*p.at == '-')
			fprintf(to, " %.*s", p.len, p.at);
}

static void command_case(const struct command *c, FILE *to)
{
	bool vm = begins(c->arguments, "VM");
	const struct word *w;

	fprintf(to, "\t%s)\n\t\tcase $prev in\n", c->name);
	if (vm)
		fprintf(to, "\t\t%s) words=\"%s\" ;;\n", c->name, vms);
	for (unsigned i = 0; (w = command_word(c, i)); i++)
		behind(w, to);
	fputs("\t\t*) words='", to);
	for (unsigned i = 0; (w = command_word(c, i)); i++) {
		fputs(i ? " " : "", to);
		names(w, to);
	}
	fprintf(to, "'%s ;;\n\t\tesac ;;\n", vm ? "" : " files=y");
}

void completion_bash(FILE *to)
{
	fputs("# Completion of twofold(1) for bash; generated. zsh takes it, too, after\n"
	      "# autoload -Uz bashcompinit && bashcompinit\n"
	      "_twofold_vms() {\n"
	      "\tlocal s\n"
	      "\tfor s in \"${XDG_RUNTIME_DIR:-/run}\"/twofold/*.sock; do\n"
	      "\t\ts=${s##*/}\n"
	      "\t\t[ \"$s\" = '*.sock' ] || echo \"${s%.sock}\"\n"
	      "\tdone\n"
	      "}\n"
	      "_twofold() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	      "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]} words= files=\n"
	      "\t# --name=value comes as three words\n"
	      "\tif [ \"$cur\" = = ]; then\n"
	      "\t\tcur=\n"
	      "\telif [ \"$prev\" = = ]; then\n"
	      "\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	      "\tfi\n"
	      "\tif ((COMP_CWORD == 1)); then\n"
	      "\t\twords='",
	      to);
	for (const struct command *c = commands; c->name; c++)
		fprintf(to, "%s ", c->name);
	fputs("--help'\n\telse case ${COMP_WORDS[1]} in\n", to);
	for (const struct command *c = commands; c->name; c++)
		command_case(c, to);
	fputs("\tesac; fi\n"
	      "\t((COMP_CWORD == 2)) && words+=' --help'\n"
	      "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "\t[ -z \"$files\" ] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
	      "}\n"
	      "complete -o filenames -F _twofold twofold\n",
	      to);
}
