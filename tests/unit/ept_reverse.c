/* SPDX-License-Identifier: MIT */
/* The walk backwards, through tables that a guest might have built. */
#include "tests/unit/stage2_fixture.h"

#include <pthread.h>

#include "ept/guest_mem.h"
#include "ept/reverse.h"
#include "ept/state.h"

#define P	1u /* present */
#define PS	0x80u /* a large page */
#define ROOT	0x10000u
#define PDPT	0x11000u
#define PD	0x12000u
#define PT	0x13000u
#define KERNEL	0x14000u /* a level-3 table of the upper half */
#define DATA	0x20000u
#define NOWHERE 0x30000u

static struct reverse *reverse;

static void entry(uint64_t table, unsigned index, uint64_t value)
{
	assert_true(guest_write(s2, (gpa_t){ table + 8 * index }, &value, 8));
}

static void build(struct options o)
{
	start(o);
	reverse = reverse_new(s2);
	assert_non_null(reverse);
	entry(ROOT, 1, PDPT | P);
	entry(PDPT, 2, PD | P);
	entry(PD, 3, PT | P);
	entry(PT, 4, DATA | P);
	entry(ROOT, 256, KERNEL | P);
	entry(KERNEL, 0, 0 | PS | P); /* all of RAM, once more */
}

static int setup(void **state)
{
	(void)state;
	build((struct options){ 0 });
	return 0;
}

/* The first table that leaves cannot be read again. */
static int setup_damaged(void **state)
{
	(void)state;
	build((struct options){ .flip = 1 });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reverse_free(reverse);
	stop();
	return 0;
}

static uint64_t gva_of(unsigned l4, unsigned l3, unsigned l2, unsigned l1)
{
	return (uint64_t)l4 << 39 | (uint64_t)l3 << 30 | (uint64_t)l2 << 21 |
	       (uint64_t)l1 << 12;
}

static void assert_found(uint64_t page, uint64_t guess, uint64_t gva,
			 unsigned level)
{
	struct reverse_hit hit;

	assert_true(reverse_find(reverse, ROOT, gfn_of((gpa_t){ page }),
				 (gva_t){ guess }, &hit));
	assert_int_equal(hit.gva.v, gva);
	assert_int_equal(hit.level, level);
}

static void data_and_tables_are_told_apart(void **state)
{
	(void)state;
	assert_found(DATA, 0, gva_of(1, 2, 3, 4), 0);
	assert_found(PT, 0, gva_of(1, 2, 3, 0), 1);
	assert_found(PD, 0, gva_of(1, 2, 0, 0), 2);
	assert_found(PDPT, 0, gva_of(1, 0, 0, 0), 3);
	assert_found(ROOT, 0, 0, 4);
}

/* What only the kernel's half maps is found there, in a large page. */
static void the_kernels_half_comes_last(void **state)
{
	(void)state;
	assert_found(NOWHERE, 0, 0xffff800000000000 + NOWHERE, 0);
	entry(PT, 5, NOWHERE | P);
	assert_found(NOWHERE, 0, gva_of(1, 2, 3, 5), 0);
}

/* Of two gvas the guess decides, if it is true; else the lowest, and then what
 * was found before. */
static void a_guess_must_be_true(void **state)
{
	(void)state;
	entry(PT, 9, NOWHERE | P);
	entry(PT, 7, NOWHERE | P);
	assert_found(NOWHERE, gva_of(1, 2, 3, 9) + 0x123, gva_of(1, 2, 3, 9),
		     0);
	entry(PT, 9, 0);
	assert_found(NOWHERE, gva_of(1, 2, 3, 9), gva_of(1, 2, 3, 7), 0);
	entry(PT, 6, NOWHERE | P);
	assert_found(NOWHERE, 0, gva_of(1, 2, 3, 7), 0);
}

static void what_is_not_mapped_is_not_found(void **state)
{
	struct reverse_hit hit;

	(void)state;
	entry(ROOT, 256, 0);
	assert_false(reverse_find(reverse, ROOT, gfn_of((gpa_t){ NOWHERE }),
				  (gva_t){ 0 }, &hit));
	assert_false(reverse_find(reverse, UINT64_C(1) << 40,
				  gfn_of((gpa_t){ DATA }), (gva_t){ 0 }, &hit));
}

/* A hostile guest's tables may be each other's, or their own. */
static void loops_end(void **state)
{
	struct reverse_hit hit;

	(void)state;
	entry(ROOT, 256, 0);
	for (unsigned i = 0; i < 512; i++)
		entry(ROOT, i, ROOT | P);
	assert_false(reverse_find(reverse, ROOT, gfn_of((gpa_t){ NOWHERE }),
				  (gva_t){ 0 }, &hit));
}

/* Looking moves nothing: a table in swap stays there. */
static void tables_in_swap_are_read_there(void **state)
{
	struct stage2_counters before, after;

	(void)state;
	for (uint64_t at = ROOT; at <= PT; at += PAGE_SIZE)
		assert_int_equal(stage2_evict(s2, gfn_of((gpa_t){ at })), 0);
	stage2_counters(s2, &before);
	assert_found(DATA, 0, gva_of(1, 2, 3, 4), 0);
	assert_found(PT, 0, gva_of(1, 2, 3, 0), 1);
	stage2_counters(s2, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(pte_kind(stage2_entry(s2, gfn_of((gpa_t){ PT }))),
			 PTE_STORED);
}

static void *settle(void *arg)
{
	usleep(20000);
	pthread_mutex_lock(&s2->lock);
	frame_set_remove(&s2->busy, *(const frame_t *)arg);
	pthread_cond_broadcast(&s2->settled);
	pthread_mutex_unlock(&s2->lock);
	return NULL;
}

/* A table that is just being moved is waited for: without it, only what the
 * kernel's half says would be found. */
static void tables_on_the_move_are_waited_for(void **state)
{
	pthread_t thread;
	frame_t f;

	(void)state;
	assert_true(frame_of(s2, gfn_of((gpa_t){ PT }), &f));
	pthread_mutex_lock(&s2->lock);
	frame_set_add(&s2->busy, f);
	pthread_mutex_unlock(&s2->lock);
	assert_int_equal(pthread_create(&thread, NULL, settle, &f), 0);
	assert_found(DATA, 0, gva_of(1, 2, 3, 4), 0);
	pthread_join(thread, NULL);
}

/* And when one cannot be read at all, nothing is said to be found behind it. */
static void a_lost_table_hides_what_comes_after_it(void **state)
{
	struct reverse_hit hit;
	const gfn_t data = gfn_of((gpa_t){ DATA });

	(void)state;
	assert_int_equal(stage2_evict(s2, gfn_of((gpa_t){ PT })), 0);
	assert_false(reverse_find(reverse, ROOT, data, (gva_t){ 0 }, &hit));
	entry(PD, 3, 0);
	assert_true(reverse_find(reverse, ROOT, data, (gva_t){ 0 }, &hit));
	assert_int_equal(hit.gva.v, 0xffff800000000000 + DATA);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(data_and_tables_are_told_apart,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_kernels_half_comes_last,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_guess_must_be_true, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_not_mapped_is_not_found,
						setup, teardown),
		cmocka_unit_test_setup_teardown(loops_end, setup, teardown),
		cmocka_unit_test_setup_teardown(tables_in_swap_are_read_there,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			tables_on_the_move_are_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_lost_table_hides_what_comes_after_it, setup_damaged,
			teardown),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests_name("reverse", tests, NULL, NULL);
}
