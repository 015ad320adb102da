/* SPDX-License-Identifier: MIT */
/* What the fuzzer of virtio devices has learnt, once more: tests/fuzz/virtio.c
 * ends the process when a device does not live through a line of its corpus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/fuzz/virtio.c"

#define CORPUS "tests/fuzz/virtio.corpus"
#define LEN    256 /* bytes of a line, at most */

/* A line of hexadecimal digits; the number of bytes it says. */
static size_t decode(const char *line, uint8_t to[LEN])
{
	size_t n = 0;

	while (n < LEN && sscanf(line + 2 * n, "%2hhx", &to[n]) == 1)
		n++;
	return n;
}

static void every_line_is_survived(void **state)
{
	char line[2 * LEN + 2];
	FILE *f = fopen(CORPUS, "r");
	unsigned lines = 0;
	uint8_t bytes[LEN];

	(void)state;
	assert_non_null(f);
	for (; fgets(line, sizeof(line), f); lines++) {
		size_t n = decode(line, bytes);

		assert_int_equal(2 * n, strcspn(line, "\n"));
		LLVMFuzzerTestOneInput(bytes, n);
	}
	fclose(f);
	assert_true(lines > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
