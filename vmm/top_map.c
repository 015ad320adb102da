/* SPDX-License-Identifier: MIT */
/*
 * The map: a character for each cell of the census, or for 2, 4, ... of them
 * where there is not enough room; it shows the state that most of their pages
 * are in, or that one of them is lost. A region begins on a row of its own,
 * behind its address.
 */
#include "vmm/top.h"

#include <string.h>

#define ADDRESS 13 /* columns */
#define STATES	8 /* more than there are */

static const struct {
	const char *state;
	char glyph;
	enum ink ink;
} looks[] = {
	{ "poisoned", '!', INK_RED },	 { "mapped", '#', INK_GREEN },
	{ "unmapped", '+', INK_YELLOW }, { "stored", 's', INK_BLUE },
	{ "absent", '.', INK_DIM },	 { "moving", '~', INK_MAGENTA },
};

#define LOOKS (sizeof(looks) / sizeof(looks[0]))

/* Pages by look: the VM names the states in an order of its own. */
struct tally {
	double pages[LOOKS];
};

struct atlas {
	json_t *regions;
	unsigned states, look[STATES]; /* of the VM's i-th state */
	unsigned columns, cells_each; /* cells to a character */
	double cell_bytes, part; /* of a cell that was counted */
};

static unsigned look_of(const char *state)
{
	for (unsigned i = 0; i < LOOKS; i++)
		if (state && !strcmp(looks[i].state, state))
			return i;
	return LOOKS;
}

/* False: not an answer that we know. */
static bool open_atlas(struct atlas *a, const json_t *map)
{
	json_t *states = json_object_get(map, "states"), *state;
	size_t i;

	*a = (struct atlas){ .regions = json_object_get(map, "regions"),
			     .cell_bytes = top_number(map, "cell_bytes") };
	if (!json_array_size(a->regions) || a->cell_bytes <= 0 ||
	    json_array_size(states) > STATES)
		return false;
	a->part = top_number(map, "counted_bytes") / a->cell_bytes;
	a->states = (unsigned)json_array_size(states);
	json_array_foreach(states, i, state)
	{
		a->look[i] = look_of(json_string_value(state));
	}
	return a->part > 0;
}

static void add_cell(const struct atlas *a, struct tally *t, json_t *cell)
{
	for (unsigned i = 0; i < a->states; i++)
		if (a->look[i] < LOOKS)
			t->pages[a->look[i]] +=
				json_number_value(json_array_get(cell, i)) /
				a->part;
}

static unsigned cells_of(json_t *region)
{
	return (unsigned)json_array_size(json_object_get(region, "cells"));
}

static unsigned rows_needed(const struct atlas *a)
{
	unsigned rows = 0, each = a->columns * a->cells_each;
	json_t *region;
	size_t i;

	json_array_foreach(a->regions, i, region)
	{
		rows += (cells_of(region) + each - 1) / each;
	}
	return rows;
}

static void draw_glyph(struct canvas *c, const struct tally *t)
{
	unsigned best = 0;

	for (unsigned i = 1; i < LOOKS && t->pages[0] <= 0; i++)
		if (t->pages[i] > t->pages[best])
			best = i;
	if (t->pages[best] > 0)
		canvas_put(c, looks[best].ink, looks[best].glyph);
	else
		canvas_put(c, INK_PLAIN, ' '); /* no page of it was counted */
}

static void draw_region(struct canvas *c, const struct atlas *a, json_t *region)
{
	json_t *cells = json_object_get(region, "cells");
	const char *gpa = json_string_value(json_object_get(region, "gpa"));
	unsigned n = cells_of(region), each = a->columns * a->cells_each;

	for (unsigned row = 0; row < n; row += each) {
		canvas_print(c, INK_DIM, "%.12s", row ? "" : gpa ? gpa : "?");
		canvas_column(c, ADDRESS);
		for (unsigned at = row; at < n && at < row + each;
		     at += a->cells_each) {
			struct tally t = { { 0 } };

			for (unsigned i = 0; i < a->cells_each; i++)
				add_cell(a, &t, json_array_get(cells, at + i));
			draw_glyph(c, &t);
		}
		canvas_line(c, INK_PLAIN);
	}
}

static void draw_legend(struct canvas *c, const struct atlas *a)
{
	json_t *region, *cell;
	struct tally t = { { 0 } };
	size_t i, k;

	json_array_foreach(a->regions, i, region)
	{
		json_array_foreach(json_object_get(region, "cells"), k, cell)
		{
			add_cell(a, &t, cell);
		}
	}
	canvas_print(c, INK_DIM, "map %.0f MiB",
		     a->cell_bytes * a->cells_each / (1 << 20));
	canvas_column(c, ADDRESS);
	for (unsigned l = 0; l < LOOKS; l++) {
		if (t.pages[l] <= 0)
			continue;
		canvas_put(c, looks[l].ink, looks[l].glyph);
		canvas_print(c, INK_PLAIN, " %s %.1f ", looks[l].state,
			     t.pages[l] / 256);
	}
	canvas_line(c, INK_PLAIN);
}

void top_draw_map(struct canvas *c, const json_t *map, unsigned rows)
{
	struct atlas a;
	json_t *region;
	size_t i;

	if (!open_atlas(&a, map) || c->columns <= ADDRESS ||
	    rows < 1 + json_array_size(a.regions))
		return;
	a.columns = c->columns - ADDRESS;
	for (a.cells_each = 1; rows_needed(&a) > rows - 1;)
		a.cells_each *= 2;
	draw_legend(c, &a);
	json_array_foreach(a.regions, i, region)
	{
		draw_region(c, &a, region);
	}
}
