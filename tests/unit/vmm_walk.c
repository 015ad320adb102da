/* SPDX-License-Identifier: MIT */
/* `twofold walk` against the API of a VM that only knows what the test told
 * it. That the references are right is tests/unit/ept_twostage.c's. */
#include "tests/unit/api_each.h"
#include "tests/unit/capture.h"

#include <jansson.h>

#include "vmm/walk_view.h"

/* Stage 1 has a page of 1 GiB, whose 4 KiB are in swap. */
static const struct explain walked = {
	.cr3 = 0x189000,
	.refs = 3,
	.ref = { { 2, 4, { 0x189ff8 }, 0x7fff000 | PTE_RWX },
		 { 1, 3, { 0x189ff8 }, 0x40000083 },
		 { 2,
		   1,
		   { 0x40001000 },
		   UINT64_C(812) << PTE_PAYLOAD_SHIFT |
			   PTE_STORED << PTE_KIND_SHIFT | PTE_KEEP } },
	.tier = { NULL, NULL, "ram" },
};

static struct capture go(const char *a, const char *b, const char *c)
{
	return capture_run(cmd_walk,
			   (const char *const[]){ f.path, a, b, c, NULL });
}

static void a_walk_is_a_line_a_reference(void **state)
{
	(void)state;
	fake_tell_explain(&f.vm, walked);
	struct capture c = go("gva:0x40001234", NULL, NULL);

	assert_string_equal(
		c.out,
		"gva   0x40001234, by the tables at cr3 0x189000\n"
		"gpa   none: stage 1 ends\n"
		"walk  3 references: 1 to the guest's tables, 2 to ours\n"
		"   1  stage 2 level 4  [  0]  for gpa  0x189ff8      RWX -> "
		"table\n"
		"   2  stage 1 level 3  [511]  of table 0x189000      P RW PS "
		"-> 1 GiB page at 0x40000000 [0x40000083]\n"
		"   3  stage 2 level 1  [  1]  for gpa  0x40001000    RWX "
		"stored: tier ram slot 812 [0x32c3b8]\n");
	assert_string_equal(c.err, "");
	assert_int_equal(c.status, 0);
	capture_free(&c);
}

/* One that ends at a frame says what page sizes made the count. */
static void a_whole_walk_says_why_it_is_so_long(void **state)
{
	(void)state;
	struct explain e = walked;

	e.ref[2].entry = 0x1230b7;
	fake_tell_explain(&f.vm, e);
	struct capture c = go("gva:0x40001234", NULL, NULL);
	assert_non_null(strstr(c.out, "2 to ours; a page of 1 GiB on one of "
				      "4 KiB\n"));
	capture_free(&c);
	e = (struct explain){ .refs = 1, .ref = { walked.ref[2] } };
	fake_tell_explain(&f.vm, e);
	c = go("gpa:0x40001000", NULL, NULL);
	assert_non_null(strstr(c.out, "walk  1 reference\n"));
	capture_free(&c);
}

static void json_has_the_walk_alone(void **state)
{
	(void)state;
	json_t *report, *ref;

	fake_tell_explain(&f.vm, walked);
	struct capture c = go("gva:0x40001234", "--json", NULL);
	assert_int_equal(c.status, 0);
	assert_null(strstr(c.out, "7fff000")); /* the host's address */
	report = json_loads(c.out, 0, NULL);
	assert_null(json_object_get(report, "page"));
	assert_int_equal(
		json_integer_value(json_object_get(report, "references")), 3);
	ref = json_array_get(json_object_get(report, "walk"), 1);
	assert_string_equal(json_string_value(json_object_get(ref, "table")),
			    "0x189000");
	assert_int_equal(json_integer_value(json_object_get(ref, "index")),
			 511);
	assert_string_equal(json_string_value(json_object_get(ref, "answer")),
			    "page 0x40000000");
	ref = json_array_get(json_object_get(report, "walk"), 2);
	assert_true(json_is_null(json_object_get(ref, "table")));
	assert_string_equal(json_string_value(json_object_get(ref, "answer")),
			    "fault: swap ram");
	json_decref(report);
	capture_free(&c);
}

static void the_picture_has_a_box_a_reference(void **state)
{
	(void)state;
	char path[96], svg[16384] = "";
	unsigned boxes = 0;

	fake_tell_explain(&f.vm, walked);
	snprintf(path, sizeof(path), "%s/walk.svg", f.folder);
	struct capture c = go("gva:0x40001234", "--svg", path);
	assert_int_equal(c.status, 0);
	capture_free(&c);
	FILE *from = fopen(path, "r");
	assert_non_null(from);
	assert_true(fread(svg, 1, sizeof(svg) - 1, from) > 0);
	fclose(from);
	unlink(path);
	for (const char *at = svg; (at = strstr(at, "class=\"number\"")); at++)
		boxes++;
	assert_int_equal(boxes, 3);
	assert_non_null(strstr(svg, "<title>RWX -> table</title>"));
	assert_non_null(strstr(svg, "class=\"fault\""));
	assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *a, *b, *c;
		int status;
		const char *err;
	} bad[] = {
		{ NULL, NULL, NULL, 2, "want VM ADDRESS" },
		{ "0x1000", "--svg", NULL, 2, "want VM ADDRESS" },
		{ "0x1000", "--yaml", NULL, 2, "want VM ADDRESS" },
		{ "lots", NULL, NULL, 2, "not an address: lots" },
		{ "gpa:gpa:1", NULL, NULL, 1, "want an address as in 0x1000" },
		{ "0x1000", "--svg", "/no/such/file", 1, "/no/such/file: No" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct capture c = go(bad[i].a, bad[i].b, bad[i].c);

		assert_int_equal(c.status, bad[i].status);
		if (!strstr(c.err, bad[i].err))
			fail_msg("%s: does not say %s", c.err, bad[i].err);
		capture_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_walk_is_a_line_a_reference),
		TEST(a_whole_walk_says_why_it_is_so_long),
		TEST(json_has_the_walk_alone),
		TEST(the_picture_has_a_box_a_reference),
		TEST(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
