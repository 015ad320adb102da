/* SPDX-License-Identifier: MIT */
/* A walk as a VM tells it: what is no such answer, what it amounts to, and
 * where in the picture each reference stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/walk_view.h"

/* One reference, and the report around some. */
#define REF(stage, level, answer)                                            \
	"{\"stage\":" #stage ",\"level\":" #level ",\"index\":7,"            \
	"\"gpa\":\"0x1000\",\"table\":null,\"entry\":null,\"decoded\":\"<&>" \
	"\",\"answer\":\"" answer "\"}"
#define REPORT(gva, refs) \
	"{\"gva\":" gva ",\"cr3\":null,\"gpa\":null,\"walk\":[" refs "]}"
#define ROW REF(2, 4, "table") "," REF(2, 3, "frame 0x1") ","

/* 2 MiB by the guest, on 1 GiB: 3 * (2 + 1) + 2 references. */
static const char whole[] = REPORT(
	"\"0x2000\"",
	ROW REF(1, 4, "table 0x1000") "," ROW REF(1, 3, "table 0x1000") "," ROW
		REF(1, 2, "page 0x1000") "," ROW REF(2, 3, "frame 0x1"));

static struct walk_view view;

static char *drawn(void (*draw)(const struct walk_view *v, FILE *to))
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	draw(&view, to);
	fclose(to);
	return text;
}

static void assert_amounts_to(const char *report, const char *want)
{
	char *text;

	assert_true(walk_view_read(&view, report));
	text = drawn(walk_view_count);
	assert_string_equal(text, want);
	free(text);
	walk_view_free(&view);
}

static void what_it_amounts_to(void **state)
{
	(void)state;
	assert_amounts_to(whole, "12 references: 3 to the guest's tables, 9 to "
				 "ours; a page of 2 MiB on one of 1 GiB");
	assert_amounts_to(REPORT("null", REF(2, 1, "frame 0x1")),
			  "1 reference; one of 4 KiB");
	assert_amounts_to(REPORT("null", REF(2, 1, "fault: zero")),
			  "1 reference");
	assert_amounts_to(REPORT("\"0x1\"", REF(1, 4, "frame 0x1")),
			  "1 reference: 1 to the guest's tables, 0 to ours");
	assert_amounts_to(REPORT("\"0x1\"", ""),
			  "0 references: 0 to the guest's tables, 0 to ours");
}

static void what_is_no_walk_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"gva\":null,\"cr3\":null,\"gpa\":null}",
		REPORT("null", "7"),
		REPORT("null", "{\"stage\":1}"),
		REPORT("null", REF(0, 1, "")),
		REPORT("null", REF(3, 1, "")),
		REPORT("null", REF(1, 0, "")),
		REPORT("null", REF(1, 5, "")),
		REPORT("null",
		       REF(1, 4, "") "," REF(1, 3, "") "," REF(
			       1, 2, "") "," REF(1, 1, "") "," REF(1, 1, "")),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (walk_view_read(&view, bad[i]))
			fail_msg("taken: %s", bad[i]);
		walk_view_free(&view);
	}
}

/* As many as there can be, and one more. */
static void there_is_a_longest_walk(void **state)
{
	char text[EXPLAIN_REFS * 160 + 400] = "";

	(void)state;
	for (unsigned refs = EXPLAIN_REFS; refs < EXPLAIN_REFS + 2; refs++) {
		strcpy(text, "{\"gva\":null,\"cr3\":null,\"gpa\":null,"
			     "\"walk\":[");
		for (unsigned i = 0; i < refs; i++)
			strcat(strcat(text, i ? "," : ""), REF(2, 1, ""));
		strcat(text, "]}");
		assert_int_equal(walk_view_read(&view, text),
				 refs == EXPLAIN_REFS);
		walk_view_free(&view);
	}
}

static unsigned times(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

/* Four rows of 78 from 100 on; five columns of 164 from 90 on, the last of
 * them 28 apart. */
static void each_reference_has_its_place(void **state)
{
	static const char *const places[] = {
		"<rect x=\"90\" y=\"100\" width=\"150\" height=\"64\" rx=\"6\" "
		"class=\"stage2\"/>\n<title>&lt;&amp;></title>\n"
		"<text x=\"98\" y=\"118\" class=\"number\">1<",
		"<rect x=\"774\" y=\"100\" width=\"150\" height=\"64\" "
		"rx=\"6\" class=\"stage1\"/>\n<title>&lt;&amp;></title>\n"
		"<text x=\"782\" y=\"118\" class=\"number\">3<",
		"<rect x=\"254\" y=\"334\" width=\"150\" height=\"64\" "
		"rx=\"6\" class=\"leaf\"/>\n<title>&lt;&amp;></title>\n"
		"<text x=\"262\" y=\"352\" class=\"number\">12<",
		"width=\"938\" height=\"426\"",
		">level 4</text>\n",
		">level 2</text>\n",
		">page</text>\n",
	};
	char *svg;

	(void)state;
	assert_true(walk_view_read(&view, whole));
	svg = drawn(walk_view_svg);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (times(svg, places[i]) != 1)
			fail_msg("%s is %u times in %s", places[i],
				 times(svg, places[i]), svg);
	assert_int_equal(times(svg, "class=\"arrow\""), 3);
	assert_int_equal(times(svg, "class=\"none\""), 4 * 4);
	assert_int_equal(times(svg, "class=\"number\""), 12);
	free(svg);
	walk_view_free(&view);
	assert_true(walk_view_read(&view, REPORT("null", REF(2, 1, "fault"))));
	svg = drawn(walk_view_svg);
	assert_int_equal(times(svg, "width=\"788\" height=\"192\""), 1);
	free(svg);
	walk_view_free(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_amounts_to),
		cmocka_unit_test(what_is_no_walk_is_refused),
		cmocka_unit_test(there_is_a_longest_walk),
		cmocka_unit_test(each_reference_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
