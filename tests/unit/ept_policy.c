/* SPDX-License-Identifier: MIT */
/* What every policy owes its caller, whatever it thinks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "ept/policy.h"
#include "tests/unit/ept_pages.h"

#define FRAMES 61
#define COUNT  8

static const struct policy_ops *const known[COUNT] = {
	&policy_clock, &policy_fifo,   &policy_lru,   &policy_2q,
	&policy_arc,   &policy_s3fifo, &policy_sieve, &policy_random,
};

static void the_first_is_the_default(void **state)
{
	(void)state;
	assert_ptr_equal(policies[0], &policy_clock);
}

static void policies_are_found_by_name(void **state)
{
	static const char *const names[COUNT] = { "clock", "fifo",  "lru",
						  "2q",	   "arc",   "s3fifo",
						  "sieve", "random" };

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		assert_ptr_equal(policies[i], known[i]);
		assert_ptr_equal(policy_find(names[i]), known[i]);
		assert_string_equal(known[i]->name, names[i]);
	}
	assert_null(policies[COUNT]);
	assert_null(policy_find(""));
	assert_null(policy_find("cloc"));
	assert_null(policy_find("clocks"));
	assert_null(policy_find("opt")); /* it cannot run live */
}

static void too_many_frames_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		assert_null(policy_create(known[i], UINT64_C(1) << 32, 1));
		assert_null(policy_create(known[i], UINT64_C(1) << 40, 1));
	}
}

static void a_policy_knows_what_it_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		struct policy *p = policy_create(known[i], FRAMES, 7);

		assert_ptr_equal(p->ops, known[i]);
		assert_int_equal(p->capacity, 7);
		policy_destroy(p);
	}
}

static void nothing_resident_nothing_chosen(void **state)
{
	const frame_t last = { FRAMES - 1 };
	frame_t f;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		struct policy *p = policy_create(known[i], FRAMES, 1);

		assert_false(p->ops->choose(p, NULL, &f));
		assert_false(p->ops->choose(p, &last, &f));
		p->ops->refer(p, last);
		p->ops->remove(p, last);
		assert_false(p->ops->choose(p, NULL, &f));
		p->ops->remove(p, last); /* of nothing */
		assert_false(p->ops->choose(p, NULL, &f));
		p->ops->refer(p, last);
		assert_true(p->ops->choose(p, NULL, &f));
		assert_int_equal(f.v, last.v);
		assert_false(p->ops->choose(p, NULL, &f));
		policy_destroy(p);
	}
}

/* Who is resident, as the caller knows it. */
struct book {
	struct policy *p;
	bool in[FRAMES];
	unsigned n;
};

static void book_insert(struct book *b, frame_t f)
{
	b->p->ops->refer(b->p, f);
	b->in[f.v] = true;
	b->n++;
}

/* There is somebody to choose. */
static frame_t book_choose(struct book *b, const frame_t *coming)
{
	frame_t victim = { FRAMES };

	assert_true(b->p->ops->choose(b->p, coming, &victim));
	assert_in_range(victim.v, 0, FRAMES - 1);
	assert_true(b->in[victim.v]);
	b->in[victim.v] = false;
	b->n--;
	return victim;
}

/* @f was aged, and touched in time. */
static void book_rescue(struct book *b, frame_t f)
{
	book_insert(b, f);
	b->p->ops->refer(b->p, f);
}

/* A miss of @f, as replay has it. */
static void book_miss(struct book *b, frame_t f)
{
	while (b->n >= b->p->capacity)
		book_choose(b, &f);
	book_insert(b, f);
}

static void book_step(struct book *b, uint64_t r)
{
	frame_t f = { r >> 8 & 0xff };

	f.v %= FRAMES;
	switch (r % 8) {
	case 0:
		if (!b->n)
			break;
		f = book_choose(b, NULL);
		if (r >> 16 & 1)
			book_rescue(b, f);
		break;
	case 1:
		b->p->ops->remove(b->p, f);
		b->n -= b->in[f.v];
		b->in[f.v] = false;
		break;
	case 2:
		if (r >> 16 & 15)
			break;
		b->p->capacity = 1 + (r >> 32) % FRAMES;
		while (b->n > b->p->capacity)
			book_choose(b, NULL);
		break;
	case 3: /* comes back without a word about room */
		if (!b->in[f.v] && b->n < b->p->capacity)
			book_insert(b, f);
		break;
	default:
		if (b->in[f.v])
			b->p->ops->refer(b->p, f);
		else
			book_miss(b, f);
	}
}

/* What it gives is resident, it gives each once, and it gives all. */
static void residents_and_victims_agree(void **state)
{
	const uint64_t seed = 20240517;

	(void)state;
	print_message("seed %lu\n", seed);
	for (unsigned i = 0; i < COUNT; i++) {
		struct book b = { .p = policy_create(known[i], FRAMES,
						     FRAMES / 2) };
		uint64_t random = seed;

		for (unsigned step = 0; step < 200000; step++)
			book_step(&b, random_next(&random));
		while (b.n)
			book_choose(&b, NULL);
		assert_false(b.p->ops->choose(b.p, NULL, &(frame_t){ 0 }));
		policy_destroy(b.p);
	}
}

/* The same calls, the same victims: nothing but the calls decides. */
static void policies_are_deterministic(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		struct book a = { .p = policy_create(known[i], FRAMES,
						     FRAMES / 3) };
		struct book b = { .p = policy_create(known[i], FRAMES,
						     FRAMES / 3) };
		uint64_t seed = 7;

		for (unsigned step = 0; step < 20000; step++) {
			uint64_t r = random_next(&seed);

			book_step(&a, r);
			book_step(&b, r);
			assert_memory_equal(a.in, b.in, sizeof(a.in));
		}
		policy_destroy(a.p);
		policy_destroy(b.p);
	}
}

/*
 * Live, half of 16 frames are in use all the time: whenever one of them is
 * aged it is rescued. How many choices do @rounds newcomers take?
 */
static unsigned choices_of(const struct policy_ops *ops, unsigned rounds)
{
	struct book b = { .p = policy_create(ops, FRAMES, 16) };
	unsigned choices = 0;
	frame_t f;

	for (f.v = 0; f.v < 16; f.v++)
		book_insert(&b, f);
	for (unsigned i = 0; i < rounds; choices++) {
		f = book_choose(&b, NULL);
		if (f.v < 8) {
			book_rescue(&b, f);
			continue;
		}
		do
			f.v = f.v + 1 < FRAMES ? f.v + 1 : 8;
		while (b.in[f.v]);
		book_insert(&b, f);
		i++;
	}
	policy_destroy(b.p);
	return choices;
}

/* Making room ends, soon, although whoever is in use always comes back. */
static void rescues_do_not_starve_reclaim(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		assert_in_range(choices_of(known[i], 1000), 1000, 3000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_the_default),
		cmocka_unit_test(policies_are_found_by_name),
		cmocka_unit_test(too_many_frames_are_refused),
		cmocka_unit_test(a_policy_knows_what_it_is),
		cmocka_unit_test(nothing_resident_nothing_chosen),
		cmocka_unit_test(residents_and_victims_agree),
		cmocka_unit_test(policies_are_deterministic),
		cmocka_unit_test(rescues_do_not_starve_reclaim),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
