/* SPDX-License-Identifier: MIT */
/* Policies, against sequences worked out by hand, the literature's numbers,
 * and slow models that obey the textbook word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "ept/policy.h"
#include "tests/unit/ept_pages.h"

#define FRAMES 13

static void insert(const struct policy_ops *ops, struct policy *p, uint64_t f)
{
	ops->insert(p, (frame_t){ f });
}

static void check_choice(const struct policy_ops *ops, struct policy *p,
			 enum verdict verdict, uint64_t frame)
{
	struct choice c = ops->choose(p);

	assert_int_equal(c.verdict, verdict);
	if (verdict != VERDICT_NONE)
		assert_int_equal(c.frame.v, frame);
}

static void the_first_is_the_default(void **state)
{
	(void)state;
	assert_ptr_equal(policies[0], &policy_clock);
}

static void policies_are_found_by_name(void **state)
{
	unsigned n = 0;

	(void)state;
	for (; policies[n]; n++)
		assert_ptr_equal(policy_find(policies[n]->name), policies[n]);
	assert_int_equal(n, 2);
	assert_ptr_equal(policy_find("fifo"), &policy_fifo);
	assert_ptr_equal(policy_find("clock"), &policy_clock);
	assert_null(policy_find(""));
	assert_null(policy_find("cloc"));
	assert_null(policy_find("clocks"));
}

static void nothing_resident_nothing_chosen(void **state)
{
	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		struct policy *p = policies[i]->create(FRAMES);

		check_choice(policies[i], p, VERDICT_NONE, 0);
		insert(policies[i], p, FRAMES - 1);
		policies[i]->remove(p, (frame_t){ FRAMES - 1 });
		check_choice(policies[i], p, VERDICT_NONE, 0);
		policies[i]->destroy(p);
	}
}

static void too_many_frames_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; policies[i]; i++)
		assert_null(policies[i]->create(UINT64_C(1) << 32));
}

/* Once inserted, a frame is evicted exactly once, whatever is aged before. */
static void every_frame_leaves_once(void **state)
{
	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		const struct policy_ops *ops = policies[i];
		struct policy *p = ops->create(FRAMES);
		unsigned left[FRAMES] = { 0 };
		struct choice c;

		for (unsigned f = 0; f < FRAMES; f++)
			insert(ops, p, f);
		while ((c = ops->choose(p)).verdict != VERDICT_NONE)
			left[c.frame.v] += c.verdict == VERDICT_EVICT;
		for (unsigned f = 0; f < FRAMES; f++)
			assert_int_equal(left[f], 1);
		ops->destroy(p);
	}
}

static void fifo_evicts_in_order_of_arrival(void **state)
{
	struct policy *p = policy_fifo.create(FRAMES);

	(void)state;
	insert(&policy_fifo, p, 5);
	insert(&policy_fifo, p, 0);
	insert(&policy_fifo, p, 12);
	insert(&policy_fifo, p, 7);
	policy_fifo.touch(p, (frame_t){ 5 });
	policy_fifo.remove(p, (frame_t){ 12 });
	check_choice(&policy_fifo, p, VERDICT_EVICT, 5);
	insert(&policy_fifo, p, 5);
	check_choice(&policy_fifo, p, VERDICT_EVICT, 0);
	check_choice(&policy_fifo, p, VERDICT_EVICT, 7);
	check_choice(&policy_fifo, p, VERDICT_EVICT, 5);
	check_choice(&policy_fifo, p, VERDICT_NONE, 0);
	policy_fifo.destroy(p);
}

/* Faults of FIFO with @frames frames; a page number is its frame number. */
static unsigned fifo_faults(const unsigned *pages, size_t n, unsigned frames)
{
	struct policy *p = policy_fifo.create(FRAMES);
	bool resident[FRAMES] = { 0 };
	unsigned faults = 0, used = 0;

	for (size_t i = 0; i < n; i++) {
		if (resident[pages[i]])
			continue;
		faults++;
		if (used == frames)
			resident[policy_fifo.choose(p).frame.v] = false;
		else
			used++;
		resident[pages[i]] = true;
		insert(&policy_fifo, p, pages[i]);
	}
	policy_fifo.destroy(p);
	return faults;
}

/* Belady, Nelson, Shedler 1969: more memory, more faults. */
static void fifo_has_beladys_anomaly(void **state)
{
	static const unsigned pages[] = { 1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5 };

	(void)state;
	assert_int_equal(fifo_faults(pages, 12, 3), 9);
	assert_int_equal(fifo_faults(pages, 12, 4), 10);
	assert_int_equal(fifo_faults(pages, 12, 5), 5);
}

static void clock_gives_a_second_chance(void **state)
{
	struct policy *p = policy_clock.create(FRAMES);

	(void)state;
	insert(&policy_clock, p, 4);
	insert(&policy_clock, p, 5);
	insert(&policy_clock, p, 6);
	check_choice(&policy_clock, p, VERDICT_AGE, 4);
	check_choice(&policy_clock, p, VERDICT_AGE, 5);
	check_choice(&policy_clock, p, VERDICT_AGE, 6);
	policy_clock.touch(p, (frame_t){ 4 });
	check_choice(&policy_clock, p, VERDICT_AGE, 4);
	check_choice(&policy_clock, p, VERDICT_EVICT, 5);
	insert(&policy_clock, p, 8); /* referenced, behind the hand */
	check_choice(&policy_clock, p, VERDICT_EVICT, 6);
	check_choice(&policy_clock, p, VERDICT_EVICT, 4);
	check_choice(&policy_clock, p, VERDICT_AGE, 8);
	check_choice(&policy_clock, p, VERDICT_EVICT, 8);
	check_choice(&policy_clock, p, VERDICT_NONE, 0);
	policy_clock.destroy(p);
}

/* A frame used once a round outlives any number that are used once. */
static void clock_keeps_what_is_in_use(void **state)
{
	struct policy *p = policy_clock.create(FRAMES);
	struct choice c;

	(void)state;
	for (unsigned f = 0; f < 4; f++)
		insert(&policy_clock, p, f);
	for (unsigned evicted = 0; evicted < 100;) {
		c = policy_clock.choose(p);
		assert_int_not_equal(c.verdict, VERDICT_NONE);
		if (c.verdict == VERDICT_EVICT) {
			assert_int_not_equal(c.frame.v, 0);
			insert(&policy_clock, p, c.frame.v);
			evicted++;
		} else if (c.frame.v == 0) {
			policy_clock.touch(p, c.frame);
		}
	}
	policy_clock.destroy(p);
}

/* The textbook: an array that shifts, the hand at its front. */
struct model {
	unsigned n;
	uint64_t frame[FRAMES];
	bool in[FRAMES], referenced[FRAMES];
};

static void model_remove(struct model *m, unsigned at)
{
	m->in[m->frame[at]] = false;
	m->n--;
	memmove(&m->frame[at], &m->frame[at + 1],
		(m->n - at) * sizeof(m->frame[0]));
}

static void model_insert(struct model *m, uint64_t f, bool referenced)
{
	m->frame[m->n++] = f;
	m->in[f] = true;
	m->referenced[f] = referenced;
}

static struct choice model_choose(struct model *m, bool is_clock)
{
	uint64_t f = m->frame[0];

	if (!m->n)
		return (struct choice){ .verdict = VERDICT_NONE };
	model_remove(m, 0);
	if (!is_clock || !m->referenced[f])
		return (struct choice){ VERDICT_EVICT, { f } };
	model_insert(m, f, false);
	return (struct choice){ VERDICT_AGE, { f } };
}

static void model_step(const struct policy_ops *ops, struct policy *p,
		       struct model *m, uint64_t r)
{
	uint64_t f = r % FRAMES;
	struct choice c;

	if (r >> 32 & 1) {
		c = model_choose(m, ops == &policy_clock);
		check_choice(ops, p, c.verdict, c.frame.v);
	} else if (!m->in[f]) {
		ops->insert(p, (frame_t){ f });
		model_insert(m, f, true);
	} else if (r >> 33 & 1) {
		ops->touch(p, (frame_t){ f });
		m->referenced[f] = true;
	} else {
		unsigned at = 0;

		ops->remove(p, (frame_t){ f });
		while (m->frame[at] != f)
			at++;
		model_remove(m, at);
	}
}

static void policies_agree_with_their_models(void **state)
{
	uint64_t seed = 20240517;

	(void)state;
	print_message("seed %lu\n", seed);
	for (unsigned i = 0; policies[i]; i++) {
		struct policy *p = policies[i]->create(FRAMES);
		struct model m = { 0 };

		for (unsigned step = 0; step < 100000; step++)
			model_step(policies[i], p, &m, random_next(&seed));
		policies[i]->destroy(p);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_the_default),
		cmocka_unit_test(policies_are_found_by_name),
		cmocka_unit_test(nothing_resident_nothing_chosen),
		cmocka_unit_test(too_many_frames_are_refused),
		cmocka_unit_test(every_frame_leaves_once),
		cmocka_unit_test(fifo_evicts_in_order_of_arrival),
		cmocka_unit_test(fifo_has_beladys_anomaly),
		cmocka_unit_test(clock_gives_a_second_chance),
		cmocka_unit_test(clock_keeps_what_is_in_use),
		cmocka_unit_test(policies_agree_with_their_models),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
