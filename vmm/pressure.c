/* SPDX-License-Identifier: MIT */
/* `twofold pressure`: which scenario, and on which VM. */
#include "vmm/pressure.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/beside.h"
#include "vmm/pressure_run.h"

#define FOLDER "scenarios"
#define SUFFIX ".scenario"

/* All of the file, malloced. NULL: one line in *why. */
static char *read_text(const char *path, struct complaint *why)
{
	char *text = calloc(1, SCENARIO_BYTES + 1);
	FILE *f = fopen(path, "re");
	size_t n = 0;

	if (f && text)
		n = fread(text, 1, SCENARIO_BYTES + 1, f);
	if (!f || !text || ferror(f))
		complaint_set(why, "%s: %s", path, strerror(errno));
	else if (n > SCENARIO_BYTES || strlen(text) != n)
		complaint_set(why, "%s: this is no scenario", path);
	else
		errno = 0;
	if (f)
		fclose(f);
	if (f && text && n <= SCENARIO_BYTES && strlen(text) == n)
		return text;
	free(text);
	return NULL;
}

/* A scenario's text by what the user calls it. */
static char *find_text(const char *name, struct complaint *why)
{
	char file[NAME_MAX], path[PATH_MAX];

	if (strpbrk(name, " \t\n;"))
		return strdup(name);
	if (strchr(name, '/'))
		return read_text(name, why);
	snprintf(file, sizeof(file), FOLDER "/%.64s" SUFFIX, name);
	if (beside_find(path, file))
		return read_text(path, why);
	complaint_set(why,
		      "no scenario %.64s: `twofold pressure --list` names "
		      "them, a file has a slash",
		      name);
	return NULL;
}

static bool load(struct scenario *s, const char *name, struct complaint *why)
{
	char *text = find_text(name, why);
	bool ok = text && scenario_parse(s, text, why);

	free(text);
	return ok;
}

static int is_scenario(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && !strcmp(dot, SUFFIX);
}

static void print_entry(const char *file)
{
	char name[NAME_MAX];
	struct complaint why;
	struct scenario s;

	snprintf(name, sizeof(name), "%.*s",
		 (int)(strlen(file) - strlen(SUFFIX)), file);
	if (load(&s, name, &why))
		printf("%-16s %3.0f s  %s\n", name, (double)s.end_ms / 1000,
		       s.about);
	else
		warnx("pressure: %s: %s", name, why.text);
}

static int list(void)
{
	struct dirent **entry = NULL;
	char path[PATH_MAX];
	int n = beside_find(path, FOLDER)
			? scandir(path, &entry, is_scenario, alphasort)
			: -1;

	if (n < 0) {
		warnx("pressure: no scenarios beside the program");
		return 1;
	}
	for (int i = 0; i < n; i++) {
		print_entry(entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	return 0;
}

struct request {
	const char *vm, *scenario;
	uint64_t seed;
	bool json;
};

/* 0, or 2: complained about. */
static int read_request(struct request *q, int argc, char **argv)
{
	*q = (struct request){ .seed = 1 };
	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			q->json = true;
		else if (!strcmp(argv[i], "--seed")) {
			i++;
			if (i >= argc || !number_parse(argv[i], &q->seed) ||
			    q->seed > INT64_MAX)
				return complain_usage("pressure",
						      "--seed wants a number",
						      NULL);
		} else if (argv[i][0] == '-')
			return complain_usage("pressure",
					      "no such option:", argv[i]);
		else if (!q->vm)
			q->vm = argv[i];
		else if (!q->scenario)
			q->scenario = argv[i];
		else
			return complain_usage("pressure",
					      "one word too many:", argv[i]);
	}
	if (q->scenario && *q->vm)
		return 0;
	return complain_usage("pressure", "a VM and a scenario are needed",
			      NULL);
}

static int run(const struct request *q)
{
	static struct pressure_run_report r;
	static struct scenario s;
	struct complaint why;
	struct target t;
	int signal;

	if (!target_find(&t, "pressure", q->vm))
		return 2;
	if (!load(&s, q->scenario, &why)) {
		warnx("pressure: %s", why.text);
		return 2;
	}
	r.scenario = &s;
	r.vm = q->vm;
	r.name = q->scenario;
	r.seed = q->seed;
	signal = pressure_run(&r, &t);
	if (signal < 0)
		return 1;
	if (q->json)
		report_print_json(&r);
	else
		report_print(&r);
	return signal ? 128 + signal : !report_passed(&r);
}

int cmd_pressure(int argc, char **argv)
{
	struct request q;

	if (argc == 1 && !strcmp(argv[0], "--list"))
		return list();
	if (read_request(&q, argc, argv))
		return 2;
	return run(&q);
}
