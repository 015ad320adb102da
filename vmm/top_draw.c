/* SPDX-License-Identifier: MIT */
/* A line each: who it is, memory, swap, faults, pages, latency, pressure,
 * policy; then the map. */
#include "vmm/top.h"

#include <string.h>

#define LABEL 10 /* columns */
#define GHOST 15

struct view {
	struct canvas *c;
	const struct top_sample *now, *before;
	double seconds; /* between the two; 0: there is no before */
};

static double number(const struct view *v, const char *path)
{
	return top_number(v->now->status, path);
}

static double mib(const struct view *v, const char *path)
{
	return number(v, path) / (1 << 20);
}

static double per_second(const struct view *v, const char *path)
{
	if (v->seconds <= 0)
		return 0;
	return (number(v, path) - top_number(v->before->status, path)) /
	       v->seconds;
}

static const char *text(const json_t *from, const char *key)
{
	const char *t = json_string_value(json_object_get(from, key));

	return t ? t : "";
}

static void label(const struct view *v, const char *name)
{
	canvas_print(v->c, INK_DIM, "%s", name);
	canvas_column(v->c, LABEL);
}

static void draw_title(const struct view *v)
{
	const json_t *st = v->now->status;
	unsigned s = (unsigned)(number(v, "wall_us") / 1e6);
	const char *reason = text(st, "reason");

	canvas_print(v->c, INK_TITLE,
		     "twofold  %s  %s%s%s  %s, %s  %u:%02u:%02u",
		     text(st, "name"), text(st, "state"), *reason ? ": " : "",
		     reason, text(st, "accel"), text(st, "stage2"), s / 3600,
		     s / 60 % 60, s % 60);
	canvas_line(v->c, INK_TITLE);
}

#define BAR 24 /* columns */

/* What is resident, of the cap; and the cap, of all of memory. */
static void draw_bar(const struct view *v, double size, double limit,
		     double resident)
{
	for (unsigned i = 0; i < BAR; i++) {
		double at = (i + 0.5) / BAR * size;

		if (at < resident)
			canvas_put(v->c, INK_GREEN, '#');
		else
			canvas_put(v->c, INK_DIM, at < limit ? '-' : ' ');
	}
}

static void draw_memory(const struct view *v)
{
	double size = mib(v, "memory.size_bytes");
	double limit = mib(v, "memory.resident_limit_bytes");
	double resident = mib(v, "memory.resident_bytes");

	label(v, "memory");
	canvas_put(v->c, INK_PLAIN, '[');
	draw_bar(v, size, limit, resident);
	canvas_print(v->c, INK_PLAIN, "] %.1f MiB of %.1f, cap %.1f, peak %.1f",
		     resident, size, limit,
		     mib(v, "memory.resident_peak_bytes"));
	canvas_line(v->c, INK_PLAIN);
}

static void draw_swap(const struct view *v)
{
	json_t *tiers = json_object_get(json_object_get(v->now->status, "swap"),
					"tiers");
	json_t *tier;
	size_t i;

	label(v, "swap");
	json_array_foreach(tiers, i, tier)
	{
		canvas_print(v->c, INK_PLAIN, "%s%s %.1f MiB in %.1f",
			     i ? "; " : "", text(tier, "name"),
			     top_number(tier, "raw_bytes") / (1 << 20),
			     top_number(tier, "stored_bytes") / (1 << 20));
	}
	if (v->now->balloon)
		canvas_print(v->c, INK_PLAIN, "   balloon %.0f MiB",
			     top_number(v->now->balloon, "amount_mib"));
	canvas_line(v->c, INK_PLAIN);
}

/* Names and rates. */
static void draw_rates(const struct view *v, const char *name,
		       const char *const path[][2], unsigned n)
{
	label(v, name);
	for (unsigned i = 0; i < n; i++)
		canvas_print(v->c, INK_PLAIN, "%s%s %.0f", i ? "  " : "",
			     path[i][0], per_second(v, path[i][1]));
	canvas_line(v->c, INK_PLAIN);
}

static void draw_faults(const struct view *v)
{
	static const char *const faults[][2] = {
		{ "missing", "faults.missing" },
		{ "minor", "faults.minor" },
		{ "in the guest", "guest.page_faults" },
	};
	static const char *const in[][2] = {
		{ "zero", "pages.zero_filled" },
		{ "file", "pages.file_filled" },
		{ "swap", "pages.swapped_in" },
		{ "ahead", "pages.mapped_ahead" },
	};
	static const char *const out[][2] = {
		{ "swap", "pages.swapped_out" },
		{ "clean", "pages.clean_dropped" },
		{ "zero", "pages.zero_elided" },
	};

	draw_rates(v, "faults/s", faults, 3);
	draw_rates(v, "in/s", in, 4);
	draw_rates(v, "out/s", out, 3);
}

static void draw_latency(const struct view *v)
{
	label(v, "latency");
	canvas_print(v->c, INK_PLAIN, "p50 %.1f us  p99 %.1f us  max %.1f us",
		     number(v, "faults.latency_us.p50"),
		     number(v, "faults.latency_us.p99"),
		     number(v, "faults.latency_us.max"));
	canvas_line(v->c, INK_PLAIN);
}

static void draw_stall(const struct view *v, const char *kind)
{
	const json_t *p = json_object_get(
		json_object_get(v->now->status, "pressure"), kind);
	double now = top_number(p, "avg10");

	canvas_print(v->c,
		     now >= 50	 ? INK_RED
		     : now >= 10 ? INK_YELLOW
				 : INK_PLAIN,
		     "%s %.1f", kind, now);
	canvas_print(v->c, INK_PLAIN, " %.1f %.1f %%   ",
		     top_number(p, "avg60"), top_number(p, "avg300"));
}

static void draw_pressure(const struct view *v)
{
	label(v, "pressure");
	draw_stall(v, "some");
	draw_stall(v, "full");
	canvas_print(v->c, INK_DIM, "of 10, 60, 300 s");
	canvas_line(v->c, INK_PLAIN);
}

/* What each policy would have missed, in as many rows as it takes. */
static void draw_ghosts(const struct view *v)
{
	json_t *ghosts = json_object_get(v->now->ghosts, "policies"), *ghost;
	size_t i;

	label(v, "misses by");
	json_array_foreach(ghosts, i, ghost)
	{
		if (i && v->c->column + GHOST > v->c->columns) {
			canvas_line(v->c, INK_PLAIN);
			canvas_column(v->c, LABEL);
		}
		canvas_print(v->c, INK_PLAIN, "%-7s%4.1f %%  ",
			     text(ghost, "policy"),
			     100 * top_number(ghost, "miss_ratio"));
	}
	canvas_line(v->c, INK_PLAIN);
}

static void draw_policy(const struct view *v)
{
	label(v, "policy");
	canvas_print(v->c, INK_PLAIN, "%s", text(v->now->status, "policy"));
	canvas_line(v->c, INK_PLAIN);
	if (v->now->ghosts)
		draw_ghosts(v);
}

void top_draw(struct canvas *c, const struct top_sample *now,
	      const struct top_sample *before)
{
	struct view v = { .c = c, .now = now, .before = before };

	if (before->status)
		v.seconds = (number(&v, "wall_us") -
			     top_number(before->status, "wall_us")) /
			    1e6;
	canvas_row(c, 0);
	draw_title(&v);
	draw_memory(&v);
	draw_swap(&v);
	draw_faults(&v);
	draw_latency(&v);
	draw_pressure(&v);
	draw_policy(&v);
	if (now->map && c->row + 2 < c->rows)
		top_draw_map(c, now->map, c->rows - c->row - 1);
}
