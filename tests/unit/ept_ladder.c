/* SPDX-License-Identifier: MIT */
/*
 * The reclaim ladder: what leaves is counted on the rung of the tier that took
 * it, in pages, bytes and time, and nowhere else. Balloon and reports are in
 * ept_discard.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/observe.h"
#include "tests/unit/ept_swap_fixture.h"
#include "tests/unit/may_watch.h"

#define RAM_PAGES 256
#define FAR	  16 /* pages apart: none is brought along with another */

static struct stage2 *s2;
static struct swap *swap;

static void on_failure(void *ctx, const struct stage2_failure *f)
{
	(void)ctx;
	fail_msg("gfn %#llx: %d", (unsigned long long)f->gfn.v, f->error);
}

/* Stage 2 over one tier of that name. */
static void start(struct tier_ops *ops, const char *tier)
{
	const struct file_extent none = { .bytes = 0 };
	struct fake *f = fake_new(RAM_PAGES);
	struct stage2_config c = { .region = { { { 0 }, RAM_PAGES } },
				   .regions = 1,
				   .limit = RAM_PAGES,
				   .policy = &policy_clock,
				   .extent = &none,
				   .paging = true,
				   .vcpus = 1,
				   .failed = on_failure };

	*ops = fake_ops;
	ops->name = tier;
	f->base.ops = ops;
	c.swap = swap = swap_over(&f->base, NULL, 0);
	assert_int_equal(stage2_create(&s2, &c), 0);
}

static void stop(void)
{
	stage2_stop(s2);
	stage2_destroy(s2);
	assert_int_equal(swap_slots_used(swap), 0);
	swap_destroy(swap);
}

static volatile uint64_t *touchable(unsigned i)
{
	return stage2_host(s2, (gfn_t){ i * FAR });
}

static void fill(unsigned i, uint64_t first, uint64_t rest)
{
	for (unsigned w = 0; w < PAGE_SIZE / sizeof(uint64_t); w++)
		touchable(i)[w] = w ? rest : first;
}

/* Pages [first, end) leave, and only @rung counts them. */
static void leave(unsigned first, unsigned end, enum rung rung)
{
	struct ladder before, after;

	stage2_ladder(s2, &before);
	for (unsigned i = first; i < end; i++)
		assert_int_equal(stage2_evict(s2, (gfn_t){ i * FAR }), 0);
	stage2_ladder(s2, &after);
	for (unsigned r = 0; r < RUNGS; r++) {
		const struct rung_count *was = &before.rung[r];
		const struct rung_count *is = &after.rung[r];
		unsigned pages = r == rung ? end - first : 0;

		assert_int_equal(is->pages - was->pages, pages);
		assert_int_equal(is->bytes - was->bytes, pages * PAGE_SIZE);
		assert_int_equal(is->ticks > was->ticks, pages > 0);
	}
}

/* Five that say something, three that repeat a word, two of zeros; then, of
 * the first, two that come back and leave as they are. */
static void each_rung_counts_its_own(const char *tier, enum rung rung)
{
	struct tier_ops ops;

	start(&ops, tier);
	for (unsigned i = 0; i < 5; i++)
		fill(i, i, ~i);
	for (unsigned i = 5; i < 8; i++)
		fill(i, i, i);
	for (unsigned i = 8; i < 10; i++)
		fill(i, 0, 0);
	leave(0, 5, rung);
	leave(5, 8, RUNG_SAME_FILLED);
	leave(8, 10, RUNG_ZERO);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(*touchable(i), i);
	leave(0, 2, RUNG_CLEAN);
	stop();
}

static void to_ram(void **state)
{
	(void)state;
	each_rung_counts_its_own("ram", RUNG_COMPRESSED);
}

static void to_a_file(void **state)
{
	(void)state;
	each_rung_counts_its_own("file", RUNG_FILE);
}

static void to_a_server(void **state)
{
	(void)state;
	each_rung_counts_its_own("nbd", RUNG_REMOTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_ram),
		cmocka_unit_test(to_a_file),
		cmocka_unit_test(to_a_server),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests_name("ladder", tests, NULL, NULL);
}
