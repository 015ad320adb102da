/* SPDX-License-Identifier: MIT */
/* What a line of a scenario says is to be done. For vmm/scenario*.c only. */
#ifndef VMM_SCENARIO_DEED_H
#define VMM_SCENARIO_DEED_H

#include <string.h>

#include "vmm/scenario.h"

#define LINE_WORDS 8

/* A line on its way. */
struct line {
	char *word[LINE_WORDS];
	unsigned words;
	char text[SCENARIO_WORDS];
};

/* The word at @i; "" where there is none. */
static inline const char *line_word(const struct line *l, unsigned i)
{
	return i < l->words && i < LINE_WORDS ? l->word[i] : "";
}

static inline bool line_is(const struct line *l, unsigned i, const char *what)
{
	return !strcmp(line_word(l, i), what);
}

/* Read all behind the time into *e. False: one line in *why. */
bool deed_read(struct event *e, struct line *l, struct complaint *why);

#endif
