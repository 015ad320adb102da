/* SPDX-License-Identifier: MIT */
/* `twofold top`: what it draws of what a VM says, on canvases of every size;
 * the terminal itself is tests/guest/top.t's. */
#include "tests/unit/api_each.h"
#include "tests/unit/capture.h"

#include "vmm/census_json.h"
#include "vmm/top.h"

static void one_view_has_all_of_it(void **state)
{
	(void)state;
	static const char want[] =
		"twofold  fake  paused: a test  kvm, ept  0:00:00\n"
		"memory    [######                  ] 63.0 MiB of 256.0, cap "
		"64.0, peak 64.0\n"
		"swap      ram 100.0 MiB in 33.0   balloon 0 MiB\n"
		"faults/s  missing 0  minor 0  in the guest 0\n"
		"in/s      zero 0  file 0  swap 0  ahead 0\n"
		"out/s     swap 0  clean 0  zero 0\n"
		"latency   p50 1.2 us  p99 50.0 us  max 900.0 us\n"
		"pressure  some 1.5 0.8 0.2 %   full 0.5 0.2 0.1 %   of 10, "
		"60, 300 s\n"
		"policy    clock\n"
		"misses by fifo   40.0 %  arc    25.0 %\n"
		"map 2 MiB    ! poisoned 0.0 # mapped 2.4 + unmapped 0.2 s "
		"stored 1.2 . absent 4.\n"
		"0            #s.\n"
		"0x100000000  !\n";
	struct capture c = capture_run(
		cmd_top, (const char *const[]){ f.path, "--once", NULL });

	assert_string_equal(c.err, "");
	assert_string_equal(c.out, want);
	assert_int_equal(c.status, 0);
	capture_free(&c);
}

/* Rates are of the time between two samples, by the VM's own clock. */
static void rates_are_a_second(void **state)
{
	struct top_sample now = { .status = json_pack(
					  "{s:I, s:{s:I}}", "wall_us",
					  (json_int_t)3000000, "faults",
					  "missing", (json_int_t)1500) };
	struct top_sample before = { .status = json_pack(
					     "{s:I, s:{s:I}}", "wall_us",
					     (json_int_t)1000000, "faults",
					     "missing", (json_int_t)500) };
	struct canvas c;
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	assert_true(canvas_make(&c, 24, 80));
	top_draw(&c, &now, &before);
	canvas_write(&c, to);
	fclose(to);
	assert_non_null(strstr(text, "faults/s  missing 500  minor 0"));
	free(text);
	canvas_free(&c);
	top_free(&now);
	top_free(&before);
}

/* No glyph is written outside: the sanitizer would see it. A map needs as many
 * rows as there are regions, and fits. */
static void any_size_will_do(void **state)
{
	struct top_sample now, none = { NULL, NULL, NULL, NULL };

	(void)state;
	assert_int_equal(top_ask(&now, f.path), 0);
	for (unsigned rows = 0; rows < 20; rows++)
		for (unsigned columns = 0; columns < 100; columns++) {
			struct canvas c;

			assert_true(canvas_make(&c, rows, columns));
			top_draw(&c, &now, &none);
			assert_true(c.row <= rows || c.row <= 12);
			canvas_free(&c);
		}
	top_free(&now);
}

/* 1,000 cells in a map of 10 rows with 67 places: two to a character. */
static void a_large_map_is_shown_smaller(void **state)
{
	json_t *cells = json_array(), *map;
	struct canvas c;

	(void)state;
	for (int i = 0; i < 1000; i++)
		json_array_append_new(
			cells,
			json_pack("[i, i]", i % 2 ? 512 : 0, i % 2 ? 0 : 511));
	map = json_pack("{s:i, s:i, s:[s, s], s:[{s:s, s:b, s:o}]}",
			"cell_bytes", 2 << 20, "counted_bytes", 2 << 20,
			"states", "absent", "stored", "regions", "gpa", "0x0",
			"share", 0, "cells", cells);
	assert_true(canvas_make(&c, 20, 80));
	top_draw_map(&c, map, 10);
	assert_int_equal(c.row, 1 + (500 + 66) / 67);
	for (unsigned i = 0; i < 67; i++)
		assert_int_equal(c.glyph[80 + 13 + i].c, '.');
	assert_int_equal(c.glyph[8 * 80 + 13 + 30].c, '.');
	assert_int_equal(c.glyph[8 * 80 + 13 + 31].c, ' ');
	canvas_free(&c);
	json_decref(map);
}

static void what_is_no_map_is_not_drawn(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[]",
		"{\"cell_bytes\": 0, \"states\": [], \"regions\": [1]}",
		"{\"cell_bytes\": 1, \"counted_bytes\": 0, \"states\": [],"
		" \"regions\": [1]}",
		"{\"cell_bytes\": 1, \"counted_bytes\": 1, \"states\":"
		" [1,2,3,4,5,6,7,8,9], \"regions\": [1]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *map = json_loads(bad[i], 0, NULL);
		struct canvas c;

		assert_true(canvas_make(&c, 20, 80));
		top_draw_map(&c, map, 10);
		assert_int_equal(c.row, 0);
		canvas_free(&c);
		json_decref(map);
	}
}

/* An answer has at most 64 KiB: of every cell all numbers have four digits. */
static void the_largest_map_is_an_answer(void **state)
{
	static struct census c = {
		.cell_pages = 8192,
		.regions = 1,
		.cells = CENSUS_CELLS,
		.region = { { { 0 }, 0, CENSUS_CELLS, false } }
	};
	char *text;

	(void)state;
	for (unsigned i = 0; i < CENSUS_CELLS; i++)
		for (unsigned k = 0; k < CENSUS_STATES; k++)
			c.cell[i][k] = 1365;
	text = census_json(&c);
	assert_in_range(strlen(text), 30 << 10, 48 << 10);
	free(text);
}

static void bytes_that_are_not_printable_are_shown(void **state)
{
	struct canvas c;
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	assert_true(canvas_make(&c, 2, 6));
	canvas_print(&c, INK_PLAIN, "a\033[2J\xff-cut");
	canvas_line(&c, INK_TITLE);
	canvas_print(&c, INK_PLAIN, "%s", "  ");
	canvas_line(&c, INK_PLAIN);
	canvas_print(&c, INK_PLAIN, "%s", "below");
	canvas_write(&c, to);
	fclose(to);
	assert_string_equal(text, "a?[2J?\n");
	free(text);
	canvas_free(&c);
}

static void what_cannot_be_shown_is_told(void **state)
{
	static const struct {
		const char *vm, *word;
		int status;
		const char *err;
	} bad[] = {
		{ NULL, NULL, 2, "want VM [--once]" },
		{ "vm", "--twice", 2, "want VM [--once]" },
		{ "/no/such.sock", "--once", 1, "nothing listens" },
		{ "", NULL, 1, "not a terminal that can show it; --once" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *vm = bad[i].vm && !*bad[i].vm ? f.path : bad[i].vm;
		struct capture c = capture_run(
			cmd_top,
			(const char *const[]){ vm, bad[i].word, NULL });

		assert_int_equal(c.status, bad[i].status);
		assert_string_equal(c.out, "");
		if (!strstr(c.err, bad[i].err))
			fail_msg("%s: does not say %s", c.err, bad[i].err);
		capture_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_view_has_all_of_it),
		cmocka_unit_test(rates_are_a_second),
		TEST(any_size_will_do),
		cmocka_unit_test(a_large_map_is_shown_smaller),
		cmocka_unit_test(what_is_no_map_is_not_drawn),
		cmocka_unit_test(bytes_that_are_not_printable_are_shown),
		cmocka_unit_test(the_largest_map_is_an_answer),
		TEST(what_cannot_be_shown_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
