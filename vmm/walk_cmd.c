/* SPDX-License-Identifier: MIT */
/* `twofold walk VM ADDRESS`: the walk that `explain` tells of, reference by
 * reference. */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/ctl_call.h"
#include "vmm/walk_view.h"

struct order {
	const char *vm, *address, *svg;
	bool json;
};

static bool take_words(struct order *o, int argc, char **argv)
{
	*o = (struct order){ .vm = argc > 0 ? argv[0] : NULL,
			     .address = argc > 1 ? argv[1] : NULL };
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "--svg") && i + 1 < argc)
			o->svg = argv[++i];
		else
			return false;
	}
	return o->address;
}

static void print_step(const struct walk_view *v, unsigned i)
{
	const struct walk_step *s = &v->step[i];

	printf("%4u  stage %u level %u  [%3u]  %s %-12s  %s", i + 1, s->stage,
	       s->level, s->index, s->stage == 1 ? "of table" : "for gpa ",
	       s->stage == 1 && s->table ? s->table : s->gpa, s->decoded);
	if (s->entry)
		printf(" [%s]", s->entry);
	printf("\n");
}

static void print_text(const struct walk_view *v)
{
	if (v->gva)
		printf("gva   %s, by the tables at cr3 %s\n", v->gva,
		       v->cr3 ? v->cr3 : "none");
	printf("gpa   %s\n", v->gpa ? v->gpa : "none: stage 1 ends");
	printf("walk  ");
	walk_view_count(v, stdout);
	printf("\n");
	for (unsigned i = 0; i < v->steps; i++)
		print_step(v, i);
}

/* The report without what is `explain`'s alone. */
static void print_json(const struct walk_view *v)
{
	json_object_del(v->report, "page");
	json_object_set_new(v->report, "references", json_integer(v->steps));
	json_dumpf(v->report, stdout, JSON_COMPACT);
	printf("\n");
}

static bool write_svg(const struct walk_view *v, const char *path)
{
	FILE *f = fopen(path, "we");
	bool ok;

	if (!f) {
		warn("walk: %s", path);
		return false;
	}
	walk_view_svg(v, f);
	ok = !ferror(f);
	if (fclose(f) || !ok) {
		warn("walk: %s", path);
		return false;
	}
	return true;
}

static int show_walk(const struct target *t, const struct order *o,
		     const char *answer)
{
	struct walk_view v;
	int r = 1;

	if (!walk_view_read(&v, answer)) {
		warnx("walk: VM %s: not an answer this program knows", t->vm);
	} else {
		r = o->svg && !write_svg(&v, o->svg);
		if (o->json)
			print_json(&v);
		else
			print_text(&v);
	}
	walk_view_free(&v);
	return r;
}

int cmd_walk(int argc, char **argv)
{
	char path[EXPLAIN_TARGET], *answer;
	struct target t;
	struct order o;
	int r;

	if (!take_words(&o, argc, argv))
		return complain_usage(
			"walk", "want VM ADDRESS [--json] [--svg FILE]", NULL);
	if (!explain_target(o.address, path))
		return complain_usage("walk", "not an address:", o.address);
	if (!target_find(&t, "walk", o.vm))
		return 2;
	if (call(&t, "GET", path, NULL, &answer))
		return 1;
	r = show_walk(&t, &o, answer);
	free(answer);
	return r;
}
