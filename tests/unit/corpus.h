/* SPDX-License-Identifier: MIT */
/* What a fuzzer has learnt, once more: its target ends the process when a
 * device does not live through a line of the corpus. */
#ifndef TESTS_UNIT_CORPUS_H
#define TESTS_UNIT_CORPUS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define CORPUS_LEN 256 /* bytes of a line, at most */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A line of hexadecimal digits; the number of bytes it says. */
static inline size_t corpus_decode(const char *line, uint8_t to[CORPUS_LEN])
{
	size_t n = 0;

	while (n < CORPUS_LEN && sscanf(line + 2 * n, "%2hhx", &to[n]) == 1)
		n++;
	return n;
}

/* Run every line of the file at @path; there are @least at least. */
static inline void corpus_replay(const char *path, unsigned least)
{
	char line[2 * CORPUS_LEN + 2];
	FILE *f = fopen(path, "r");
	uint8_t bytes[CORPUS_LEN];
	unsigned lines = 0;

	assert_non_null(f);
	for (; fgets(line, sizeof(line), f); lines++) {
		size_t n = corpus_decode(line, bytes);

		assert_int_equal(2 * n, strcspn(line, "\n"));
		LLVMFuzzerTestOneInput(bytes, n);
	}
	fclose(f);
	assert_in_range(lines, least, UINT32_MAX);
}

#endif
