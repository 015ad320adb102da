/* SPDX-License-Identifier: MIT */
/*
 * Run by the build: `twofold-manual FOLDER` writes twofold.1, twofold-NAME.1
 * for each command, and twofold.bash there.
 */
#include <err.h>

#include "vmm/manual/pages.h"

static FILE *create(const char *folder, const char *format, const char *name)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "%s/", folder);
	FILE *f;

	snprintf(path + n, sizeof(path) - (size_t)n, format, name);
	f = fopen(path, "we");
	if (!f)
		err(1, "%s", path);
	return f;
}

static void finish(FILE *f)
{
	if (ferror(f) || fclose(f))
		err(1, "writing");
}

int main(int argc, char **argv)
{
	FILE *f;

	if (argc != 2)
		errx(2, "want a FOLDER");
	f = create(argv[1], "%s.1", "twofold");
	page_overview(f);
	finish(f);
	for (const struct command *c = commands; c->name; c++) {
		f = create(argv[1], "twofold-%s.1", c->name);
		page_command(c, f);
		finish(f);
	}
	f = create(argv[1], "%s.bash", "twofold");
	completion_bash(f);
	finish(f);
	return 0;
}
