/* SPDX-License-Identifier: MIT */
#include "vmm/words.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>

void words_add(struct words *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (w->n == MAX_WORDS || vasprintf(&w->word[w->n], format, args) < 0)
		errx(125, "a command line of over %d words", MAX_WORDS);
	va_end(args);
	w->word[++w->n] = NULL;
}

void words_free(struct words *w)
{
	for (unsigned i = 0; i < w->n; i++)
		free(w->word[i]);
	*w = (struct words){ 0 };
}

/* 'as it is', with each ' written as '\'' */
static void quote(const char *word, FILE *to)
{
	fputc('\'', to);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", to);
		else
			fputc(*word, to);
	fputc('\'', to);
}

void words_quote(const struct words *w, FILE *to)
{
	for (unsigned i = 0; i < w->n; i++) {
		fputc(' ', to);
		quote(w->word[i], to);
	}
	fputc('\n', to);
}
