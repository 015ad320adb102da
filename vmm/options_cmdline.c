/* SPDX-License-Identifier: MIT */
/*
 * The guest's command line. Words are passed as they are: the guest's parser
 * decides what spaces and quotes in them mean.
 */
#include <stdlib.h>
#include <string.h>

#include "vmm/boot.h"
#include "vmm/options_part.h"

/* The length of @words joined by spaces, and of "TEXT -- " before them. */
static size_t length(const char *text, char **word, int n)
{
	size_t len = strlen(text);

	if (n && *text)
		len += strlen(" -- ");
	for (int i = 0; i < n; i++)
		len += strlen(word[i]) + (i > 0);
	return len;
}

static void join(char *to, const char *text, char **word, int n)
{
	to = stpcpy(to, text);
	if (n && *text)
		to = stpcpy(to, " -- ");
	for (int i = 0; i < n; i++)
		to = stpcpy(stpcpy(to, i ? " " : ""), word[i]);
}

bool options_cmdline(struct run_options *o, char **word, int n,
		     struct complaint *why)
{
	const char *text = o->cmdline ? o->cmdline : "";
	size_t len = length(text, word, n);
	char *joined;

	if (len >= BOOT_CMDLINE)
		return complaint_set(why,
				     "the guest's command line has %zu bytes; "
				     "at most %u are possible",
				     len, BOOT_CMDLINE - 1);
	joined = malloc(len + 1);
	if (!joined)
		return complaint_set(why, "no memory");
	join(joined, text, word, n);
	free(o->cmdline);
	o->cmdline = joined;
	return true;
}
