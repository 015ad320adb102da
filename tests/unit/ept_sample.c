/* SPDX-License-Identifier: MIT */
/* The sample: fair, and its numbers are its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "ept/sample.h"

static void hashes_are_a_bijection(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 3, 16, 100, 1000, 4096, 70000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct sample s = sample_of(sizes[i], 0);
		uint8_t *seen = calloc(1, s.below);
		frame_t number;

		assert_true(s.below >= sizes[i]);
		assert_true(s.below == 1 || s.below < 2 * sizes[i]);
		assert_int_equal(s.sampled, sizes[i]);
		for (frame_t f = { 0 }; f.v < sizes[i]; f.v++) {
			assert_true(sample_has(&s, f, &number));
			assert_false(seen[number.v]++);
		}
		free(seen);
	}
}

/* Of every stride about as many frames as of all, or programs that go by
 * strides would be judged wrongly: 2^18 frames, one in 16. */
static void every_stride_is_sampled_alike(void **state)
{
	const uint64_t frames = 1 << 18;
	struct sample s = sample_of(frames, 4);

	(void)state;
	assert_int_equal(s.below, frames / 16);
	assert_int_equal(s.sampled, frames / 16);
	for (uint64_t stride = 2; stride <= 512; stride *= 2)
		for (uint64_t first = 0; first < stride; first += stride / 2) {
			uint64_t n = 0, expect = frames / stride / 16;
			frame_t number;

			for (frame_t f = { first }; f.v < frames; f.v += stride)
				n += sample_has(&s, f, &number);
			assert_in_range(n, expect / 2, expect * 2);
		}
}

/* A run of neighbours as well: no 2 MiB goes unseen. */
static void every_neighbourhood_is_sampled(void **state)
{
	struct sample s = sample_of(1 << 18, 4);
	frame_t f = { 0 }, number;

	(void)state;
	while (f.v < 1 << 18) {
		unsigned n = 0;

		for (unsigned i = 0; i < 512; i++, f.v++)
			n += sample_has(&s, f, &number);
		assert_in_range(n, 8, 80);
	}
}

/* Whether a frame is in says nothing about another, at any distance: one pair
 * in 256 is in the sample. A plain multiplication would fail here. */
static void frames_are_sampled_independently(void **state)
{
	const uint64_t frames = 1 << 16;
	struct sample s = sample_of(frames, 4);

	(void)state;
	for (uint64_t distance = 1; distance <= 600; distance++) {
		frame_t number;
		uint64_t n = 0;

		for (uint64_t i = 0; i < frames - distance; i++)
			n += sample_has(&s, (frame_t){ i }, &number) &&
			     sample_has(&s, (frame_t){ i + distance }, &number);
		assert_in_range(n, frames / 256 / 2, frames / 256 * 2);
	}
}

static void counts_scale(void **state)
{
	struct sample all = sample_of(1000, 0), some = sample_of(100000, 3);

	(void)state;
	for (uint64_t n = 0; n < 1000; n++) {
		assert_int_equal(sample_scaled(&all, n), n);
		assert_int_equal(sample_estimate(&all, n).estimate, n);
	}
	assert_in_range(some.sampled, 12000, 13000);
	assert_int_equal(sample_scaled(&some, 100000), some.sampled);
	assert_int_equal(sample_estimate(&some, some.sampled).estimate, 100000);
	/* A sample of nothing. */
	some.sampled = 0;
	assert_int_equal(sample_estimate(&some, 5).sampled, 5);
	assert_int_equal(sample_estimate(&some, 5).estimate, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_a_bijection),
		cmocka_unit_test(every_stride_is_sampled_alike),
		cmocka_unit_test(every_neighbourhood_is_sampled),
		cmocka_unit_test(frames_are_sampled_independently),
		cmocka_unit_test(counts_scale),
	};

	return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
