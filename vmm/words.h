/* SPDX-License-Identifier: MIT */
/* A list of words that makes up a command line. */
#ifndef VMM_WORDS_H
#define VMM_WORDS_H

#include <stdio.h>

#define MAX_WORDS 160

struct words {
	char *word[MAX_WORDS + 1]; /* each malloced; ended by NULL */
	unsigned n;
};

/* Add a word in printf's manner. No memory, or no room: the program ends. */
__attribute__((format(printf, 2, 3))) void words_add(struct words *w,
						     const char *format, ...);
void words_free(struct words *w);

/* Write all words on one line so that a POSIX shell reads them back as they
 * are, whatever they contain. */
void words_quote(const struct words *w, FILE *to);

#endif
