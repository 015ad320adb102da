/* SPDX-License-Identifier: MIT */
#include "vmm/walk_view.h"

#include <string.h>

static bool read_step(struct walk_view *v, json_t *ref)
{
	struct walk_step *s = &v->step[v->steps];
	json_t *table, *entry;
	int stage, level, index;

	if (json_unpack(ref, "{s:i, s:i, s:i, s:s, s:o, s:o, s:s, s:s}",
			"stage", &stage, "level", &level, "index", &index,
			"gpa", &s->gpa, "table", &table, "entry", &entry,
			"decoded", &s->decoded, "answer", &s->answer) ||
	    stage < 1 || stage > 2 || level < 1 || level > 4)
		return false;
	s->stage = (unsigned)stage;
	s->level = (unsigned)level;
	s->index = (unsigned)index;
	s->row = v->stage1;
	s->table = json_string_value(table);
	s->entry = json_string_value(entry);
	v->stage1 += stage == 1;
	v->steps++;
	return v->stage1 <= 4;
}

bool walk_view_read(struct walk_view *v, const char *text)
{
	json_t *gva, *cr3, *gpa, *walk, *ref;
	size_t i;

	*v = (struct walk_view){ .report = json_loads(text, 0, NULL) };
	if (json_unpack(v->report, "{s:o, s:o, s:o, s:o}", "gva", &gva, "cr3",
			&cr3, "gpa", &gpa, "walk", &walk) ||
	    json_array_size(walk) > EXPLAIN_REFS)
		return false;
	v->gva = json_string_value(gva);
	v->cr3 = json_string_value(cr3);
	v->gpa = json_string_value(gpa);
	json_array_foreach(walk, i, ref)
	{
		if (!read_step(v, ref))
			return false;
	}
	return true;
}

void walk_view_free(struct walk_view *v)
{
	json_decref(v->report);
}

static const char *size_text(unsigned level)
{
	static const char *const text[] = { "", "4 KiB", "2 MiB", "1 GiB",
					    "512 GiB" };

	return text[level];
}

/* The sizes that make the count, if the walk found a page. */
static void say_sizes(const struct walk_view *v, FILE *to)
{
	const struct walk_step *last = v->steps ? &v->step[v->steps - 1] : NULL;
	unsigned guest = 0;

	if (!last || last->stage != 2 || strncmp(last->answer, "frame", 5))
		return;
	for (unsigned i = 0; i < v->steps; i++)
		if (v->step[i].stage == 1)
			guest = v->step[i].level;
	if (guest)
		fprintf(to, "; a page of %s on", size_text(guest));
	else
		fprintf(to, ";");
	fprintf(to, " one of %s", size_text(last->level));
}

void walk_view_count(const struct walk_view *v, FILE *to)
{
	fprintf(to, "%u reference%s", v->steps, v->steps == 1 ? "" : "s");
	if (v->gva)
		fprintf(to, ": %u to the guest's tables, %u to ours", v->stage1,
			v->steps - v->stage1);
	say_sizes(v, to);
}
