/* SPDX-License-Identifier: MIT */
#include "guest/boot/words.h"

#include <stddef.h>

#include "guest/lib/print.h"
#include "guest/lib/string.h"

/* Cut the next word off *at; NULL at the end of the line. */
static char *next_word(char **at)
{
	char *word, *end;

	for (word = *at; *word == ' ' || *word == '\t'; word++)
		;
	if (!*word)
		return NULL;
	for (end = word; *end && *end != ' ' && *end != '\t'; end++)
		;
	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

void words_split(struct words *w, char *line)
{
	bool cut = false;
	char *word;

	w->options = w->arguments = 0;
	while ((word = next_word(&line))) {
		if (str_begins(word, "virtio_mmio."))
			continue;
		if (!cut && streq(word, "--")) {
			for (int i = 0; i < w->arguments; i++)
				w->option[i] = w->argument[i];
			w->options = w->arguments;
			w->arguments = 0;
			cut = true;
			continue;
		}
		if (w->arguments == WORDS)
			panic("more than %d words on the command line", WORDS);
		w->argument[w->arguments++] = word;
	}
	w->argument[w->arguments] = NULL;
}
