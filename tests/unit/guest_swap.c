/* SPDX-License-Identifier: MIT */
/*
 * The guest's swap: who writes, who reads, how often, and that no byte and no
 * slot is lost, whatever the disk does.
 */
#include "tests/unit/guest_swap_fixture.h"

/* What was done by [1] since [0]. */
static struct sys_counts since;

static void expect(uint64_t reads, uint64_t writes, uint64_t used)
{
	assert_int_equal(counts.swap_reads - since.swap_reads, reads);
	assert_int_equal(counts.swap_writes - since.swap_writes, writes);
	assert_int_equal(counts.slots_used, used);
	since = counts;
}

/* Written once, unmapped three times, read once, and shared again. */
static void three_share_a_page(void **state)
{
	struct space *s[3] = { space_with(1) };
	struct frame *f;

	(void)state;
	s[1] = space_fork(s[0]);
	s[2] = space_fork(s[0]);
	f = frame_in(s[0], BASE);
	assert_int_equal(f->maps, 3);
	since = counts;
	assert_true(swap_out(f));
	expect(0, 1, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(s[i]->swapped, 1);
		assert_int_equal(*word(s[i], BASE, 0), 1000);
		check_counts(s[i]);
	}
	f = frame_in(s[2], BASE);
	assert_int_equal(f->maps, 3);
	expect(1, 0, 1);
	assert_true(swap_out(f)); /* it has not changed */
	expect(0, 0, 1);
	for (unsigned i = 0; i < 3; i++)
		*word(s[i], BASE, FAULT_W) = i;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(*word(s[i], BASE, 0), i);
	assert_int_equal(counts.slots_used, 0);
	for (unsigned i = 0; i < 3; i++)
		space_free(s[i]);
}

/* A page that was written to is another page. */
static void changed_pages_are_written_again(void **state)
{
	struct space *s = space_with(1);

	(void)state;
	since = counts;
	assert_true(swap_out(frame_in(s, BASE)));
	expect(0, 1, 1);
	*word(s, BASE, FAULT_W) += 1;
	expect(1, 0, 0);
	assert_true(swap_out(frame_in(s, BASE)));
	expect(0, 1, 1);
	assert_int_equal(*word(s, BASE, 0), 1001);
	space_munmap(s, BASE, PAGE_SIZE);
	expect(1, 0, 0);
	space_free(s);
}

static struct space *racer;

static void read_meanwhile(void)
{
	meanwhile = NULL;
	assert_int_equal(*word(racer, BASE, 0), 1000);
}

static void write_meanwhile(void)
{
	meanwhile = NULL;
	*word(racer, BASE, FAULT_W) = 7;
}

static void leave_meanwhile(void)
{
	meanwhile = NULL;
	space_munmap(racer, BASE, PAGE_SIZE);
}

/* While it is written its user reads the page, changes it, or gives it up. */
static void used_while_written(void **state)
{
	struct frame *f;

	(void)state;
	racer = space_with(1);
	f = frame_in(racer, BASE);
	since = counts;
	meanwhile = read_meanwhile;
	assert_true(swap_out(f));
	expect(0, 1, 1);
	*word(racer, BASE, FAULT_W) = 1000;
	expect(1, 0, 0);
	f = frame_in(racer, BASE);
	meanwhile = write_meanwhile;
	assert_true(swap_out(f));
	assert_ptr_not_equal(frame_in(racer, BASE), f);
	assert_int_equal(*word(racer, BASE, 0), 7);
	expect(0, 1, 0);
	meanwhile = leave_meanwhile;
	assert_true(swap_out(frame_in(racer, BASE)));
	expect(0, 1, 0);
	space_free(racer);
}

/* What cannot be written stays; what cannot be read is asked for again. */
static void the_disk_fails(void **state)
{
	struct space *s = space_with(2);

	(void)state;
	since = counts;
	disk_error = -EIO;
	assert_false(swap_out(frame_in(s, BASE)));
	assert_int_equal(*word(s, BASE, 0), 1000);
	*word(s, BASE, FAULT_W) = 5;
	expect(0, 1, 0);
	disk_error = 0;
	assert_true(swap_out(frame_in(s, BASE + PAGE_SIZE)));
	disk_error = -EIO;
	assert_null(word(s, BASE + PAGE_SIZE, 0));
	assert_null(word(s, BASE + PAGE_SIZE, FAULT_W));
	expect(2, 1, 1);
	disk_error = 0;
	assert_int_equal(*word(s, BASE + PAGE_SIZE, 0), 1001);
	assert_int_equal(*word(s, BASE, 0), 5);
	space_free(s);
	assert_int_equal(counts.slots_used, 0);
}

/* A full disk takes no more, and what it refused is there. */
static void the_disk_is_full(void **state)
{
	struct space *s = space_with(BLOCKS);

	(void)state;
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_int_equal(swap_out(frame_in(s, BASE + i * PAGE_SIZE)),
				 i < BLOCKS - 1);
	assert_int_equal(s->resident, 1);
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_int_equal(*word(s, BASE + i * PAGE_SIZE, 0), 1000 + i);
	space_free(s);
	assert_int_equal(counts.slots_used, 0);
}

/* Pages of shared memory: the slot is its owner's. */
static void shared_pages(void **state)
{
	struct frame *f = frame_alloc(FRAME_FILE);
	uint32_t slot;

	(void)state;
	f->flags |= FRAME_BUSY; /* as the page cache does */
	*(uint64_t *)direct(frame_pa(f)) = 77;
	assert_int_equal(swap_transfer(NULL, f, true), 0);
	slot = f->slot;
	assert_int_equal(swap_transfer(NULL, f, true), 0);
	assert_int_equal(f->slot, slot);
	*(uint64_t *)direct(frame_pa(f)) = 0;
	assert_int_equal(swap_transfer(NULL, f, false), 0);
	assert_int_equal(*(uint64_t *)direct(frame_pa(f)), 77);
	assert_int_equal(counts.slots_used, 1);
	frame_put(f);
	swap_put(slot);
	assert_int_equal(counts.slots_used, 0);
}

/* What was used longest ago is last; what is freed is in no list. */
static void lists(void **state)
{
	struct space *s = space_with(8);
	struct frame *f[8];

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		f[i] = frame_in(s, BASE + i * PAGE_SIZE);
	lru_gather(UINT32_MAX);
	assert_int_equal(counts.lru[LRU_ANON][false].count, 8);
	assert_int_equal(counts.lru[LRU_ANON][true].count, 0);
	lru_move(f[3], true);
	lru_move(f[5], true);
	assert_ptr_equal(last(true), f[3]);
	space_munmap(s, BASE + 3 * PAGE_SIZE, PAGE_SIZE);
	assert_ptr_equal(last(true), f[5]);
	lru_gather(UINT32_MAX);
	assert_int_equal(counts.lru[LRU_ANON][false].count, 6);
	assert_int_equal(counts.lru[LRU_FILE][false].count, 0);
	space_free(s);
	assert_int_equal(counts.lru[LRU_ANON][false].count, 0);
	assert_int_equal(counts.lru[LRU_ANON][true].count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_share_a_page),
		cmocka_unit_test(changed_pages_are_written_again),
		cmocka_unit_test(used_while_written),
		cmocka_unit_test(the_disk_fails),
		cmocka_unit_test(the_disk_is_full),
		cmocka_unit_test(shared_pages),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
