/* SPDX-License-Identifier: MIT */
#include "tests/unit/corpus.h"

#include "tests/fuzz/ports.c"

static void every_line_is_survived(void **state)
{
	(void)state;
	corpus_replay("tests/fuzz/ports.corpus", 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
