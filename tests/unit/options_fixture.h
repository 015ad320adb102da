/* SPDX-License-Identifier: MIT */
/* Parsing one command line a check; for the tests of vmm/options.h. */
#ifndef TESTS_OPTIONS_FIXTURE_H
#define TESTS_OPTIONS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/boot.h"
#include "vmm/options.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

static struct run_options o;
static struct complaint why;

static inline bool parse_words(int n, const char *const *word)
{
	memset(&o, 0xa5, sizeof(o)); /* the caller initialises nothing */
	why.text[0] = '\0';
	return options_parse(&o, n, (char **)word, &why);
}

/* Parse @line, words at single spaces. */
static inline bool parse(const char *line)
{
	char *copy = strdup(line), *rest = copy;
	const char *word[64];
	bool good;
	int n = 0;

	while (*line && (word[n] = strsep(&rest, " ")))
		n++;
	good = parse_words(n, word);
	free(copy);
	return good;
}

#endif
