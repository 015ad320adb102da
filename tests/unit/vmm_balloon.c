/* SPDX-License-Identifier: MIT */
/* What is said of a balloon: each statistic that the guest tells, by its name,
 * and none that it does not tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "vmm/balloon.h"

static json_t *statistics(uint32_t known)
{
	struct balloon_report r = { .updated_s = 5, .known = known };
	json_t *object;
	char *text;

	for (unsigned i = 0; i < BALLOON_TAGS; i++)
		r.value[i] = 100 + i;
	text = balloon_statistics_json(&r);
	assert_non_null(text);
	object = json_loads(text, 0, NULL);
	free(text);
	assert_true(json_is_object(object));
	return object;
}

static void every_tag_has_its_name(void **state)
{
	json_t *all = statistics((1u << BALLOON_TAGS) - 1);

	(void)state;
	for (unsigned i = 0; i < BALLOON_TAGS; i++) {
		const char *name = balloon_tag_name[i];
		json_t *one = statistics(1u << i);

		assert_int_equal(json_integer_value(json_object_get(all, name)),
				 100 + i);
		assert_int_equal(json_object_size(all) - json_object_size(one),
				 BALLOON_TAGS - 1);
		assert_non_null(json_object_get(one, name));
		json_decref(one);
	}
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tag_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
