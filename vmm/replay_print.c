/* SPDX-License-Identifier: MIT */
/* A report of `twofold replay`: for people, for spreadsheets, for programs. */
#include <string.h>

#include "vmm/replay.h"
#include "vmm/safe_json.h"

static double ratio(const struct replay_report *p,
		    const struct replay_result *r)
{
	return (double)r->misses / (double)p->references->n;
}

/* The misses of OPT with as many frames, or NULL. */
static const struct replay_result *best(const struct replay_report *p,
					uint64_t frames)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->result[i].frames == frames &&
		    !strcmp(p->result[i].policy, "opt"))
			return &p->result[i];
	return NULL;
}

static void print_table(const struct replay_report *p, FILE *to)
{
	fprintf(to, "%-8s %10s %12s %12s %10s %8s\n", "policy", "frames",
		"references", "misses", "miss ratio", "to opt");
	for (size_t i = 0; i < p->n; i++) {
		const struct replay_result *r = &p->result[i];
		const struct replay_result *opt = best(p, r->frames);

		fprintf(to, "%-8s %10llu %12zu %12llu %10.4f", r->policy,
			(unsigned long long)r->frames, p->references->n,
			(unsigned long long)r->misses, ratio(p, r));
		if (opt)
			fprintf(to, " %8.3f\n",
				(double)r->misses / (double)opt->misses);
		else
			fprintf(to, " %8s\n", "-");
	}
}

/* RFC 4180: quoted where a reader would otherwise stumble. */
static void print_quoted(const char *text, FILE *to)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, to);
		return;
	}
	putc('"', to);
	for (; *text; text++)
		fprintf(to, *text == '"' ? "\"\"" : "%c", *text);
	putc('"', to);
}

static void print_csv(const struct replay_report *p, FILE *to)
{
	fputs("trace,policy,frames,references,misses,miss_ratio\n", to);
	for (size_t i = 0; i < p->n; i++) {
		const struct replay_result *r = &p->result[i];

		print_quoted(p->trace, to);
		fprintf(to, ",%s,%llu,%zu,%llu,%.4f\n", r->policy,
			(unsigned long long)r->frames, p->references->n,
			(unsigned long long)r->misses, ratio(p, r));
	}
}

static json_t *results_json(const struct replay_report *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++) {
		const struct replay_result *r = &p->result[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:I, s:I, s:f}", "policy", r->policy,
				  "frames", safe_count(r->frames), "misses",
				  safe_count(r->misses), "miss_ratio",
				  safe_real(ratio(p, r))));
	}
	return list;
}

static void print_json(const struct replay_report *p, FILE *to)
{
	const struct references *r = p->references;
	const char *kind = !r->is_trace ? "text"
			   : r->refs_ms ? "dense"
					: "faults";
	json_t *j = json_pack(
		"{s:o, s:s, s:I, s:I, s:I, s:o}", "trace", safe_text(p->trace),
		"kind", kind, "refs_ms", (json_int_t)r->refs_ms, "references",
		safe_count(r->n), "pages", safe_count(r->pages.count),
		"results", results_json(p));

	json_dumpf(j, to, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putc('\n', to);
	json_decref(j);
}

const struct replay_format replay_formats[] = {
	{ "table", print_table },
	{ "csv", print_csv },
	{ "json", print_json },
	{ NULL, NULL },
};
