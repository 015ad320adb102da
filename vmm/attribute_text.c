/* SPDX-License-Identifier: MIT */
/* An attribution as JSON, and that JSON for people. */
#include <stdio.h>

#include "vmm/attribute.h"
#include "vmm/safe_json.h"

static json_t *pages_json(const struct owned_pages *p)
{
	json_t *o = json_object();
	char key[32];

	for (unsigned i = 0; i < OWNED_STATES; i++) {
		snprintf(key, sizeof(key), "%s_bytes", owned_name[i]);
		json_object_set_new(
			o, key,
			json_integer(safe_count(p->n[i] << PAGE_SHIFT)));
	}
	return o;
}

static json_t *process_json(const struct attribute_process *p)
{
	const struct root *r = &p->root;

	return json_pack("{s:o, s:o, s:s, s:b, s:I, s:o, s:o}", "cr3",
			 safe_hex(r->cr3), "pid",
			 r->pid ? json_integer(r->pid) : json_null(), "by",
			 root_by_name[r->by], "whole", p->whole, "tables_bytes",
			 safe_count(p->tables << PAGE_SHIFT), "own",
			 pages_json(&p->own), "shared", pages_json(&p->shared));
}

char *attribution_json(const struct attribution *a)
{
	json_t *processes = json_array(), *report;
	char *text;

	for (unsigned i = 0; i < a->n; i++)
		json_array_append_new(processes, process_json(&a->process[i]));
	report = json_pack(
		"{s:b, s:o, s:{s:I, s:o}, s:o, s:o, s:o, s:o, s:I}", "whole",
		a->whole, "processes", processes, "others", "processes",
		safe_count(a->others), "own", pages_json(&a->others_own),
		"shared", pages_json(&a->shared), "tables",
		pages_json(&a->tables), "kernel", pages_json(&a->kernel),
		"unreachable", pages_json(&a->unreachable),
		"not_searched_bytes", safe_count(a->unseen << PAGE_SHIFT));
	text = json_dumps(report, JSON_COMPACT);
	json_decref(report);
	return text;
}

/* What the table for people has of an account, MiB. */
struct row {
	double resident, swapped, same, zero;
};

static bool read_row(json_t *pages, struct row *r)
{
	json_int_t resident, swapped, same, zero;

	if (json_unpack(pages, "{s:I, s:I, s:I, s:I}", "resident_bytes",
			&resident, "swapped_bytes", &swapped,
			"same_filled_bytes", &same, "zero_bytes", &zero))
		return false;
	*r = (struct row){ (double)resident / (1 << 20),
			   (double)swapped / (1 << 20),
			   (double)same / (1 << 20), (double)zero / (1 << 20) };
	return true;
}

static void print_row(const char *who, const struct row *r)
{
	printf("%-26s %9.2f %9.2f %9.2f %9.2f", who, r->resident, r->swapped,
	       r->same, r->zero);
}

static bool print_process(json_t *p)
{
	json_t *own, *shared, *pid;
	struct row mine, ours;
	const char *cr3, *by;
	json_int_t tables;
	char who[64];

	if (json_unpack(p, "{s:s, s:o, s:s, s:I, s:o, s:o}", "cr3", &cr3, "pid",
			&pid, "by", &by, "tables_bytes", &tables, "own", &own,
			"shared", &shared) ||
	    !read_row(own, &mine) || !read_row(shared, &ours))
		return false;
	if (json_is_integer(pid))
		snprintf(who, sizeof(who), "cr3 %s pid %lld", cr3,
			 json_integer_value(pid));
	else
		snprintf(who, sizeof(who), "cr3 %s %s", cr3, by);
	print_row(who, &mine);
	printf(" %9.2f %7lld\n", ours.resident + ours.swapped, tables >> 10);
	return true;
}

static bool print_processes(json_t *report)
{
	json_t *processes, *p, *others;
	json_int_t n;
	struct row r;
	size_t i;

	if (json_unpack(report, "{s:o, s:{s:I, s:o}}", "processes", &processes,
			"others", "processes", &n, "own", &others))
		return false;
	json_array_foreach(processes, i, p)
	{
		if (!print_process(p))
			return false;
	}
	if (n && read_row(others, &r)) {
		print_row("smaller ones", &r);
		printf("   (%lld processes)\n", n);
	}
	return true;
}

static bool print_rest(json_t *report)
{
	static const struct {
		const char *key, *name;
	} rows[] = {
		{ "shared", "shared by processes" },
		{ "tables", "processes' tables" },
		{ "kernel", "kernel" },
		{ "unreachable", "unreachable" },
	};
	struct row r;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!read_row(json_object_get(report, rows[i].key), &r))
			return false;
		print_row(rows[i].name, &r);
		printf("\n");
	}
	return true;
}

int attribution_print(const char *text)
{
	json_t *report = json_loads(text, 0, NULL);
	json_int_t unseen;
	int whole;
	bool ok;

	ok = !json_unpack(report, "{s:b, s:I}", "whole", &whole,
			  "not_searched_bytes", &unseen);
	if (ok)
		printf("%-26s %9s %9s %9s %9s %9s %7s\n", "MiB", "resident",
		       "swapped", "same", "zero", "shared", "tables");
	ok = ok && print_processes(report) && print_rest(report);
	if (ok && unseen)
		printf("%.1f MiB of swap were not searched for processes\n",
		       (double)unseen / (1 << 20));
	if (ok && !whole)
		printf("not all tables could be read\n");
	json_decref(report);
	return ok ? 0 : -1;
}
