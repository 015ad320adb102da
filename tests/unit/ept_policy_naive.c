/* SPDX-License-Identifier: MIT */
/* Replay against slow simulators that share nothing with it. */
#include "ept/opt.h"
#include "tests/unit/ept_naive_lists.h"

static const struct {
	const struct policy_ops *ops; /* NULL: OPT */
	uint64_t (*naive)(const struct string *s, unsigned c);
} pairs[] = {
	{ &policy_fifo, naive_fifo },	{ &policy_lru, naive_lru },
	{ &policy_clock, naive_clock }, { NULL, naive_opt },
	{ &policy_sieve, naive_sieve }, { &policy_2q, naive_2q },
	{ &policy_arc, naive_arc },	{ &policy_s3fifo, naive_s3fifo },
};

static uint64_t misses(const struct string *s, const struct policy_ops *ops,
		       uint64_t capacity)
{
	struct opt *o;
	uint64_t n;

	if (ops)
		return string_misses(s, ops, capacity);
	assert_int_equal(opt_create(&o, s->page, s->n, s->pages), 0);
	n = opt_misses(o, capacity);
	opt_destroy(o);
	return n;
}

static void compare(struct string s)
{
	static const unsigned sizes[] = { 1,  2,  3,  4,  5,  7,  9,
					  10, 11, 16, 20, 33, 40, 64,
					  80, 89, 90, 91, 200 };

	for (size_t p = 0; p < sizeof(pairs) / sizeof(pairs[0]); p++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			uint64_t got = misses(&s, pairs[p].ops, sizes[i]);
			uint64_t want = pairs[p].naive(&s, sizes[i]);

			if (got != want)
				fail_msg("%s, %u frames: %lu, want %lu",
					 pairs[p].ops ? pairs[p].ops->name
						      : "opt",
					 sizes[i], got, want);
		}
	string_free(&s);
}

#define SEED 190

static void uniform(void **state)
{
	(void)state;
	print_message("seed %u\n", SEED);
	for (unsigned i = 0; i < 3; i++)
		compare(string_uniform(PAGES, 3000, SEED + i));
}

static void zipf(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		compare(string_zipf(PAGES, 3000, 0, SEED + i));
}

static void zipf_with_scans(void **state)
{
	(void)state;
	for (unsigned every = 2; every < 8; every += 2)
		compare(string_zipf(PAGES, 3000, every, SEED + every));
}

/* Phases: the hot set moves, so that ghosts and hands matter. */
static void moving_sets(void **state)
{
	struct string s = string_uniform(PAGES, 6000, SEED);

	(void)state;
	for (size_t i = 0; i < s.n; i++)
		s.page[i] = (s.page[i] % 25 + (uint32_t)(i / 300) * 10) % PAGES;
	compare(s);
}

/* What holds of OPT and LRU for any string. */
static void bounds_hold(void **state)
{
	struct string s = string_zipf(PAGES, 5000, 3, SEED);
	uint64_t last = s.n;

	(void)state;
	for (unsigned c = 1; c <= PAGES; c++) {
		uint64_t best = misses(&s, NULL, c);
		uint64_t lru = misses(&s, &policy_lru, c);

		assert_true(lru <= last); /* a stack algorithm */
		last = lru;
		for (unsigned i = 0; policies[i]; i++)
			assert_true(misses(&s, policies[i], c) >= best);
	}
	string_free(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(uniform),
		cmocka_unit_test(zipf),
		cmocka_unit_test(zipf_with_scans),
		cmocka_unit_test(moving_sets),
		cmocka_unit_test(bounds_hold),
	};

	return cmocka_run_group_tests_name("naive", tests, NULL, NULL);
}
