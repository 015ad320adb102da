/* SPDX-License-Identifier: MIT */
/* `twofold trace`: its verbs, and the words that they share. */
#include "vmm/trace.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/trace_verbs.h"

struct order {
	const char *file, *out, *format;
	bool json;
	struct trace_filter filter;
};

static int do_print(const struct order *o, const struct trace_file *t, FILE *to)
{
	(void)to;
	return trace_print(t, &o->filter);
}

static int do_stats(const struct order *o, const struct trace_file *t, FILE *to)
{
	(void)to;
	return trace_stats(t, &o->filter, o->json);
}

static int do_export(const struct order *o, const struct trace_file *t,
		     FILE *to)
{
	return trace_export(t, &o->filter, o->format, to) ? 0 : 2;
}

static int do_report(const struct order *o, const struct trace_file *t,
		     FILE *to)
{
	const char *slash = strrchr(o->file, '/');

	trace_report(t, &o->filter, slash ? slash + 1 : o->file, to);
	return 0;
}

static const struct verb {
	const char *name;
	int (*run)(const struct order *o, const struct trace_file *t, FILE *to);
	bool json, format, out; /* the options that it has beside filters */
} verbs[] = {
	{ "print", do_print, false, false, false },
	{ "stats", do_stats, true, false, false },
	{ "export", do_export, false, true, true },
	{ "report", do_report, false, false, true },
};

/* An option with a value: in the next word, or behind a '='. */
static bool take_value(const char *name, char **argv, int *i,
		       const char **value, struct complaint *why)
{
	size_t len = strlen(name);

	if (strncmp(argv[*i], name, len) ||
	    (argv[*i][len] && argv[*i][len] != '='))
		return false;
	*value = argv[*i][len] ? argv[*i] + len + 1 : argv[++*i];
	if (!*value)
		complaint_set(why, "%s needs a value", name);
	return true;
}

/* Word argv[*i], and the next one where it is its value. */
static bool take_word(const struct verb *v, struct order *o, char **argv,
		      int *i, struct complaint *why)
{
	const char *word = argv[*i];
	int used;

	if (!trace_filter_take(&o->filter, word, argv[*i + 1], &used, why))
		return false;
	if (used) {
		*i += used - 1;
		return true;
	}
	if (v->json && !strcmp(word, "--json"))
		return o->json = true;
	*why->text = '\0';
	if ((v->format && take_value("--format", argv, i, &o->format, why)) ||
	    (v->out && take_value("-o", argv, i, &o->out, why)))
		return !*why->text;
	if (word[0] == '-' && word[1])
		return complaint_set(why, "unknown option '%.40s'", word);
	if (o->file)
		return complaint_set(why, "unexpected '%.80s'", word);
	o->file = word;
	return true;
}

static bool take_words(const struct verb *v, struct order *o, int argc,
		       char **argv, struct complaint *why)
{
	for (int i = 0; i < argc; i++)
		if (!take_word(v, o, argv, &i, why))
			return false;
	if (v->format && !o->format)
		return complaint_set(why, "--format is needed: csv, chrome or "
					  "perfetto");
	return o->file || complaint_set(why, "a FILE is needed");
}

static int run(const struct verb *v, const struct order *o,
	       const struct trace_file *t)
{
	FILE *to = o->out ? fopen(o->out, "we") : stdout;
	int status;

	if (!to)
		err(1, "trace: %s", o->out);
	status = v->run(o, t, to);
	if (fflush(to) || ferror(to) || (o->out && fclose(to)))
		err(1, "trace: %s", o->out ? o->out : "standard output");
	return status;
}

static int read_and_run(const struct verb *v, const struct order *o)
{
	struct trace_file t;
	const char *wrong = trace_file_read(&t, o->file);
	int status = 1;

	if (wrong)
		warnx("trace: %s: %s", o->file, wrong);
	else
		status = run(v, o, &t);
	if (!wrong && t.rest) {
		warnx("trace: %s: cut short: %zu bytes behind record %zu",
		      o->file, t.rest, t.total);
		status = 1;
	}
	trace_file_free(&t);
	return status;
}

int cmd_trace(int argc, char **argv)
{
	struct order o = { .file = NULL };
	struct complaint why;

	if (argc && !strcmp(argv[0], "record"))
		return trace_record(argc - 1, argv + 1);
	for (size_t i = 0; argc && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, argv[0]))
			continue;
		if (take_words(&verbs[i], &o, argc - 1, argv + 1, &why))
			return read_and_run(&verbs[i], &o);
		warnx("trace: %s", why.text);
		return 2;
	}
	warnx("trace: want record, print, stats, export or report; `twofold "
	      "trace --help` says more");
	return 2;
}
