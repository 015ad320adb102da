/* SPDX-License-Identifier: MIT */
/*
 * The walk as a grid, as the literature draws it:
 *
 *               stage 2                    stage 1
 *          L4    L3    L2    L1
 *     L4 [  1 ][  2 ][  3 ][  4 ]  ->  [  5 ]   the guest's table, its entry
 *     L3 [  6 ][  7 ][  8 ][  9 ]  ->  [ 10 ]
 *     ...
 *   page [ 21 ][ 22 ][ 23 ][ 24 ]
 *
 * A level that a large page makes needless is an empty place.
 */
#include <string.h>

#include "vmm/walk_view.h"

#define LEFT   90
#define TOP    100
#define WIDE   150
#define HIGH   64
#define GAP    14
#define COLUMN (WIDE + GAP)
#define ROW    (HIGH + GAP)

static void escaped(const char *text, FILE *to)
{
	for (; *text; text++) {
		if (*text == '&')
			fputs("&amp;", to);
		else if (*text == '<')
			fputs("&lt;", to);
		else
			fputc(*text, to);
	}
}

static void words(FILE *to, unsigned x, unsigned y, const char *class,
		  const char *text)
{
	fprintf(to, "<text x=\"%u\" y=\"%u\" class=\"%s\">", x, y, class);
	escaped(text, to);
	fputs("</text>\n", to);
}

static unsigned column_x(unsigned column)
{
	return LEFT + column * COLUMN + (column == 4 ? 2 * GAP : 0);
}

static unsigned row_y(unsigned row)
{
	return TOP + row * ROW;
}

static const char *class_of(const struct walk_step *s)
{
	if (strstr(s->answer, "fault"))
		return "fault";
	if (s->stage == 1)
		return "stage1";
	return strncmp(s->answer, "frame", 5) ? "stage2" : "leaf";
}

static void box(FILE *to, unsigned x, unsigned y, const char *class)
{
	fprintf(to,
		"<rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" rx=\"6\" "
		"class=\"%s\"/>\n",
		x, y, WIDE, HIGH, class);
}

static void draw_step(const struct walk_view *v, unsigned i, FILE *to)
{
	const struct walk_step *s = &v->step[i];
	unsigned x = column_x(s->stage == 1 ? 4 : 4 - s->level);
	unsigned y = row_y(s->row);
	char text[48];

	box(to, x, y, class_of(s));
	fprintf(to, "<title>");
	escaped(s->decoded, to);
	fprintf(to, "</title>\n");
	snprintf(text, sizeof(text), "%u", i + 1);
	words(to, x + 8, y + 18, "number", text);
	snprintf(text, sizeof(text), "entry %u", s->index);
	words(to, x + 8, y + 37, "small", text);
	words(to, x + 8, y + 54, "answer", s->answer);
}

/* Where nothing was read. */
static void draw_places(const struct walk_view *v, unsigned rows, FILE *to)
{
	for (unsigned row = 0; row < rows; row++) {
		for (unsigned column = 0; column < 4; column++)
			box(to, column_x(column), row_y(row), "none");
		if (row < v->stage1)
			fprintf(to, "<path d=\"M%u %uh%d\" class=\"arrow\"/>\n",
				column_x(3) + WIDE, row_y(row) + HIGH / 2,
				3 * GAP);
	}
}

static void draw_labels(const struct walk_view *v, unsigned rows, FILE *to)
{
	char text[160];

	if (v->gva)
		snprintf(text, sizeof(text), "gva %.40s, cr3 %.40s", v->gva,
			 v->cr3 ? v->cr3 : "none");
	else
		snprintf(text, sizeof(text), "gpa %.40s", v->gpa);
	words(to, LEFT, 28, "title", text);
	fprintf(to, "<text x=\"%d\" y=\"50\" class=\"small\">", LEFT);
	walk_view_count(v, to);
	fputs("</text>\n", to);
	for (unsigned level = 4; level > 0; level--) {
		snprintf(text, sizeof(text), "stage 2, level %u", level);
		words(to, column_x(4 - level), TOP - 14, "small", text);
	}
	if (v->stage1)
		words(to, column_x(4), TOP - 14, "small", "stage 1's entry");
	for (unsigned row = 0; row < rows; row++) {
		snprintf(text, sizeof(text), "level %u", 4 - row);
		words(to, 16, row_y(row) + HIGH / 2 + 5, "small",
		      row < v->stage1 ? text : "page");
	}
}

static const char style[] = "<style>"
			    "text{font:13px sans-serif;fill:#222}"
			    ".title{font-size:18px;font-weight:bold}"
			    ".small{font-size:12px;fill:#555}"
			    ".number{font-weight:bold}"
			    ".answer{font-family:monospace;font-size:12px}"
			    ".stage2{fill:#dbe9f9;stroke:#6b93c4}"
			    ".leaf{fill:#a9cdf3;stroke:#3d6da3}"
			    ".stage1{fill:#dcf0d5;stroke:#6ea35c}"
			    ".fault{fill:#f9d7d3;stroke:#c4513f}"
			    ".none{fill:none;stroke:#ddd;stroke-dasharray:4 4}"
			    ".arrow{stroke:#888}"
			    "</style>\n";

void walk_view_svg(const struct walk_view *v, FILE *to)
{
	unsigned rows = v->steps ? v->step[v->steps - 1].row + 1 : 0;
	unsigned width = column_x(4) + (v->stage1 ? WIDE : 0) + GAP;
	unsigned height = row_y(rows) + GAP;

	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" "
		"height=\"%u\" viewBox=\"0 0 %u %u\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n%s",
		width, height, width, height, style);
	draw_labels(v, rows, to);
	draw_places(v, rows, to);
	for (unsigned i = 0; i < v->steps; i++)
		draw_step(v, i, to);
	fputs("</svg>\n", to);
}
