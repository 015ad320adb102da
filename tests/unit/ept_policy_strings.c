/* SPDX-License-Identifier: MIT */
/* Policies on short strings, worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "ept/opt.h"
#include "tests/unit/ept_strings.h"

/* @text has a reference a digit; "-" is no reference. */
static struct string string_of(const char *text)
{
	struct string s = string_new(10, strlen(text));

	s.n = 0;
	for (; *text; text++)
		if (*text != '-')
			s.page[s.n++] = (uint32_t)(*text - '0');
	return s;
}

static uint64_t misses(const struct policy_ops *ops, const char *text,
		       uint64_t capacity)
{
	struct string s = string_of(text);
	uint64_t n = string_misses(&s, ops, capacity);

	string_free(&s);
	return n;
}

static uint64_t optimum(const char *text, uint64_t capacity)
{
	struct string s = string_of(text);
	struct opt *o;
	uint64_t n;

	assert_int_equal(opt_create(&o, s.page, s.n, s.pages), 0);
	n = opt_misses(o, capacity);
	assert_int_equal(opt_misses(o, capacity),
			 n); /* it can be asked again */
	opt_destroy(o);
	string_free(&s);
	return n;
}

/* The pages that are resident after @text, as a sorted string of digits. */
static void check_resident(const struct policy_ops *ops, uint64_t capacity,
			   const char *text, const char *expect)
{
	struct string s = string_of(text);
	struct replay r;
	char resident[11] = "";
	size_t n = 0;

	assert_int_equal(replay_init(&r, ops, s.pages, capacity), 0);
	replay_run(&r, s.page, s.n);
	for (uint32_t f = 0; f < 10; f++)
		if (frame_set_has(&r.resident, (frame_t){ f }))
			resident[n++] = (char)('0' + f);
	if (strcmp(resident, expect) != 0)
		fail_msg("%s after %s with %lu: %s, want %s", ops->name, text,
			 capacity, resident, expect);
	assert_int_equal(r.used, n);
	replay_destroy(&r);
	string_free(&s);
}

/* Belady, Nelson, Shedler 1969: more memory, more faults. */
static void fifo_has_beladys_anomaly(void **state)
{
	(void)state;
	assert_int_equal(misses(&policy_fifo, "123412512345", 3), 9);
	assert_int_equal(misses(&policy_fifo, "123412512345", 4), 10);
	assert_int_equal(misses(&policy_fifo, "123412512345", 5), 5);
}

/* LRU, and OPT, are stack algorithms and have no such anomaly. */
static void lru_and_opt_have_not(void **state)
{
	static const unsigned lru[] = { 12, 12, 10, 8, 5 };
	static const unsigned opt[] = { 12, 9, 7, 6, 5 };

	(void)state;
	for (uint64_t c = 1; c <= 5; c++) {
		assert_int_equal(misses(&policy_lru, "123412512345", c),
				 lru[c - 1]);
		assert_int_equal(optimum("123412512345", c), opt[c - 1]);
	}
}

/* The string of Silberschatz's and many other textbooks. */
static void the_textbook_string(void **state)
{
	const char *text = "70120304230321201701";

	(void)state;
	assert_int_equal(misses(&policy_fifo, text, 3), 15);
	assert_int_equal(misses(&policy_lru, text, 3), 12);
	assert_int_equal(optimum(text, 3), 9);
}

static void one_frame_misses_every_change(void **state)
{
	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		assert_int_equal(misses(policies[i], "0", 1), 1);
		assert_int_equal(misses(policies[i], "0000", 1), 1);
		assert_int_equal(misses(policies[i], "01010", 1), 5);
		assert_int_equal(misses(policies[i], "001122110", 1), 5);
	}
	assert_int_equal(optimum("001122110", 1), 5);
}

static void enough_frames_miss_each_page_once(void **state)
{
	(void)state;
	for (unsigned i = 0; policies[i]; i++)
		for (uint64_t c = 5; c < 12; c++)
			assert_int_equal(
				misses(policies[i], "41230-1034-33210-4013", c),
				5);
	assert_int_equal(optimum("41230-1034-33210-4013", 5), 5);
	assert_int_equal(optimum("", 5), 0);
}

/*
 * CLOCK with 3 frames, a star: the bit is set, > is under the hand.
 * 123: >1 2 3. 1: >1* 2 3. 4 clears 1, evicts 2: 1 4 >3. 5 evicts 3: >1 4 5.
 * A newcomer whose bit began set would have made 4 evict 1.
 */
static void clock_bits_begin_clear(void **state)
{
	(void)state;
	check_resident(&policy_clock, 3, "123-1-4", "134");
	check_resident(&policy_clock, 3, "123-1-4-5", "145");
	check_resident(&policy_clock, 3, "123-1-4-5-6", "456");
	assert_int_equal(misses(&policy_clock, "123-1-4-5-6-1", 3), 7);
}

/* All referenced: the hand goes round once and takes the first. */
static void clock_in_full_use_is_fifo(void **state)
{
	(void)state;
	check_resident(&policy_clock, 3, "123-321-4", "234");
	/* 2 and 3 have lost their bits; 4 never had one. */
	check_resident(&policy_clock, 3, "123-321-4-5-6", "456");
	check_resident(&policy_clock, 3, "123-321-4-3-5-6", "356");
}

/*
 * SIEVE with 4 frames, newest first. 1234, 1 and 2 visited: 4 3 2* 1*. 5: the
 * hand clears 1 and 2, evicts 3: 5 4 2 1, the hand at 4, which 6 evicts: 6 5 2
 * 1, the hand at 5. 7 evicts 5, 8 evicts 6: 8 7 2 1. 1 and 2 stayed where they
 * were, behind the hand; CLOCK would have taken them after 4.
 */
static void sieve_leaves_survivors_behind_the_hand(void **state)
{
	(void)state;
	check_resident(&policy_sieve, 4, "1234-12-5", "1245");
	check_resident(&policy_sieve, 4, "1234-12-5-6", "1256");
	check_resident(&policy_sieve, 4, "1234-12-5-6-7", "1267");
	check_resident(&policy_sieve, 4, "1234-12-5-6-7-8", "1278");
	check_resident(&policy_clock, 4, "1234-12-5-6-7-8", "5678");
}

/* Beyond the newest the hand begins again at the oldest: all visited, 4
 * evicts 1 and leaves the hand at 2. */
static void sieve_hand_goes_round(void **state)
{
	(void)state;
	check_resident(&policy_sieve, 3, "123-123-4", "234");
	check_resident(&policy_sieve, 3, "123-123-4-5", "345");
	/* 3 evicted by the hand at the newest but one; 4, visited, is spared
	 * and 5 goes; then from the oldest again. */
	check_resident(&policy_sieve, 3, "123-123-4-5-4-6", "456");
	check_resident(&policy_sieve, 3, "123-123-4-5-4-6-7", "467");
}

/*
 * 2Q with 4 frames: Kin 1, Kout 2. 1234 fill A1in; touching them there changes
 * nothing; 5 moves 1 to A1out, 6 moves 2. 1 comes back from A1out into Am (and
 * 3 goes to A1out). Then a scan of newcomers cannot move 1.
 */
static void two_queues_let_the_proven_stay(void **state)
{
	(void)state;
	check_resident(&policy_2q, 4, "1234-1111-5", "2345");
	check_resident(&policy_2q, 4, "1234-5-6-1", "1456");
	check_resident(&policy_2q, 4, "1234-5-6-1-78902", "0129");
	/* A1out remembers two only: 1 is forgotten after 5, 6, 7. */
	check_resident(&policy_2q, 4, "1234-567-1-8902", "0289");
}

/* Am gives only when A1in is at its quarter, and its least recent first. */
static void two_queues_keep_a_quarter_for_newcomers(void **state)
{
	(void)state;
	/* A1in 34 56: 1, 2, 3 come back in turn, A1in falls to one: 6. */
	check_resident(&policy_2q, 4, "1234-5-1-6-2-3", "1236");
	/* Now Am gives: its least recent, 1 unless it was touched. */
	check_resident(&policy_2q, 4, "1234-5-1-6-2-3-4", "2346");
	check_resident(&policy_2q, 4, "1234-5-1-6-2-3-1-4", "1346");
}

/*
 * ARC with 4 frames. 12 twice: T2 = 12. 3 4: T1 = 34. 5: T1 is above its target
 * of 0, 3 goes to B1. 3 again, a hit in B1: the target becomes 1, and 4 leaves,
 * for T1 = 45 is above it. T2 = 1 2 3, T1 = 5. 6: T1 is at its target, so T2
 * gives 1.
 */
static void arc_learns_from_ghosts(void **state)
{
	(void)state;
	check_resident(&policy_arc, 4, "1122-34-5", "1245");
	check_resident(&policy_arc, 4, "1122-34-5-3", "1235");
	check_resident(&policy_arc, 4, "1122-34-5-3-6", "2356");
	/* 1 is in B2: the target is 0 again, and T1 = 5 6 gives. */
	check_resident(&policy_arc, 4, "1122-34-5-3-6-1", "1236");
}

/* c pages seen once, all in T1: the oldest leaves without a ghost. */
static void arc_forgets_a_full_t1(void **state)
{
	(void)state;
	check_resident(&policy_arc, 3, "123-4", "234");
	check_resident(&policy_arc, 3, "123-4-1-5", "145");
}

/*
 * S3-FIFO with 10 frames: S 1, G 9. 0 is referenced twice more and moves to M
 * when S gives; 1 only once, and leaves.
 */
static void s3fifo_wants_two_more(void **state)
{
	struct string s = string_new(30, 16);
	struct replay r;

	(void)state;
	assert_int_equal(replay_init(&r, &policy_s3fifo, 30, 10), 0);
	for (uint32_t f = 0; f < 10; f++)
		s.page[f] = f;
	memcpy(&s.page[10], (uint32_t[]){ 0, 0, 1, 20, 21, 1 },
	       6 * sizeof(uint32_t));
	replay_run(&r, s.page, 14);
	assert_true(frame_set_has(&r.resident, (frame_t){ 0 }));
	assert_false(frame_set_has(&r.resident, (frame_t){ 1 }));
	replay_run(&r, &s.page[14], 2); /* 21 evicts 2; 1 was a ghost: into M */
	for (uint32_t f = 22; f < 30; f++)
		replay_reference(&r, (frame_t){ f });
	assert_true(frame_set_has(&r.resident, (frame_t){ 0 }));
	assert_true(frame_set_has(&r.resident, (frame_t){ 1 }));
	assert_false(frame_set_has(&r.resident, (frame_t){ 3 }));
	assert_int_equal(r.misses, 10 + 2 + 1 + 8);
	replay_destroy(&r);
	string_free(&s);
}

/* A loop over one page more than fits: LRU and FIFO never hit, OPT on all but
 * every fourth, and random on some. */
static void a_loop_is_the_worst_for_lru(void **state)
{
	const char *loop = "01234-01234-01234-01234-01234-01234-01234-01234";

	(void)state;
	assert_int_equal(misses(&policy_lru, loop, 4), 40);
	assert_int_equal(misses(&policy_fifo, loop, 4), 40);
	assert_int_equal(misses(&policy_clock, loop, 4), 40);
	assert_int_equal(optimum(loop, 4), 5 + 8);
	assert_in_range(misses(&policy_random, loop, 4), 14, 35);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifo_has_beladys_anomaly),
		cmocka_unit_test(lru_and_opt_have_not),
		cmocka_unit_test(the_textbook_string),
		cmocka_unit_test(one_frame_misses_every_change),
		cmocka_unit_test(enough_frames_miss_each_page_once),
		cmocka_unit_test(clock_bits_begin_clear),
		cmocka_unit_test(clock_in_full_use_is_fifo),
		cmocka_unit_test(sieve_leaves_survivors_behind_the_hand),
		cmocka_unit_test(sieve_hand_goes_round),
		cmocka_unit_test(two_queues_let_the_proven_stay),
		cmocka_unit_test(two_queues_keep_a_quarter_for_newcomers),
		cmocka_unit_test(arc_learns_from_ghosts),
		cmocka_unit_test(arc_forgets_a_full_t1),
		cmocka_unit_test(s3fifo_wants_two_more),
		cmocka_unit_test(a_loop_is_the_worst_for_lru),
	};

	return cmocka_run_group_tests_name("strings", tests, NULL, NULL);
}
