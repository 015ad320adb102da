/* SPDX-License-Identifier: MIT */
/* `twofold walk`: the two-dimensional walk as a VM told it, and the ways to
 * show it. */
#ifndef VMM_WALK_VIEW_H
#define VMM_WALK_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "vmm/explain.h"

/* Its texts are the report's. */
struct walk_view {
	json_t *report;
	const char *gva, *cr3; /* NULL: a gpa was asked for */
	const char *gpa; /* NULL: stage 1 leads nowhere */
	unsigned steps, stage1; /* references; those to the guest's tables */
	struct walk_step {
		unsigned stage, level, index;
		unsigned row; /* stage-1 entries read before */
		const char *gpa;
		const char *table, *entry; /* NULL: the host's business */
		const char *decoded, *answer;
	} step[EXPLAIN_REFS];
};

/* Read an answer to GET /explain/ADDRESS; false: it is none. Free it in both
 * cases. */
bool walk_view_read(struct walk_view *v, const char *text);
void walk_view_free(struct walk_view *v);

/* What @v amounts to: "24 references: 4 to the guest's tables, 20 to ours". */
void walk_view_count(const struct walk_view *v, FILE *to);

/* A picture: a row for each stage-1 entry and the stage-2 walk that finds it,
 * and one for the page. */
void walk_view_svg(const struct walk_view *v, FILE *to);

/* `twofold walk VM ADDRESS ...`; @argv: the words behind "walk". The exit
 * status, as cmd_ctl's. */
int cmd_walk(int argc, char **argv);

#endif
