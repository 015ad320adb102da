/* SPDX-License-Identifier: MIT */
/*
 * The auditor after each kind of damage: every check is proven able to fail,
 * and to name what failed.
 */
#include "tests/unit/audit_fixture.h"
#include "tests/unit/ept_pages.h"

static void assert_names(enum audit_check check, uint64_t page, uint64_t want,
			 uint64_t got)
{
	struct audit_report r;

	settle();
	r = audit();
	assert_true(r.diverged);
	assert_string_equal(audit_name[r.check], audit_name[check]);
	assert_int_equal(r.gfn.v, gfn(page).v);
	assert_int_equal(r.want, want);
	assert_int_equal(r.got, got);
}

static void bytes_without_an_entry(void **state)
{
	(void)state;
	*(uint8_t *)backing_alias(&s2->backing, frame(700)) = 1;
	assert_names(AUDIT_MEMFD, 700, false, true);
	backing_punch(&s2->backing, frame(700), 1);
	assert_sound(audit());
}

static void stored_page_with_bytes(void **state)
{
	(void)state;
	*touchable(3) = 1;
	assert_int_equal(stage2_evict(s2, gfn(3)), 0);
	*(uint8_t *)backing_alias(&s2->backing, frame(3)) = 1;
	assert_names(AUDIT_MEMFD, 3, false, true);
	backing_punch(&s2->backing, frame(3), 1);
}

static void entry_without_bytes(void **state)
{
	(void)state;
	*touchable(511) = 1;
	assert_int_equal(stage2_unmap(s2, gfn(511)), 0);
	backing_punch(&s2->backing, frame(511), 1);
	assert_names(AUDIT_MEMFD, 511, true, false);
	*(uint8_t *)backing_alias(&s2->backing, frame(511)) = 1;
	assert_sound(audit());
}

static void leaf_that_is_not_mapped(void **state)
{
	(void)state;
	*touchable(1199) = 1;
	backing_unmap(&s2->backing, frame(1199), 1);
	assert_names(AUDIT_PAGEMAP, 1199, true, false);
}

static void unmapped_page_that_is_mapped(void **state)
{
	void *at = backing_guest(&s2->backing, frame(2));
	int error;

	(void)state;
	*touchable(2) = 1;
	assert_int_equal(stage2_unmap(s2, gfn(2)), 0);
	assert_int_equal(uffd_continue(s2->faults.uffd, at, PAGE_SIZE,
				       PAGE_SIZE, &error),
			 PAGE_SIZE);
	assert_names(AUDIT_PAGEMAP, 2, false, true);
	backing_unmap(&s2->backing, frame(2), 1);
}

/* Hand over page @page's entry, so that it can be wrong and right again. */
static struct pte exchange(uint64_t page, struct pte e)
{
	struct pte old;

	pthread_mutex_lock(&s2->lock);
	old = ept_lookup(&s2->ept, gfn(page));
	set_page(s2, gfn(page), e);
	pthread_mutex_unlock(&s2->lock);
	return old;
}

static void stored_page_whose_slot_is_dead(void **state)
{
	struct pte right, wrong;

	(void)state;
	*touchable(5) = 1;
	assert_int_equal(stage2_evict(s2, gfn(5)), 0);
	right = stage2_entry(s2, gfn(5));
	wrong = pte_away(PTE_STORED, pte_slot(right).v + 1, PTE_RWX);
	exchange(5, wrong);
	assert_names(AUDIT_SLOT, 5, true, false);
	exchange(5, right);
	assert_sound(audit());
}

static void kept_copy_whose_slot_is_dead(void **state)
{
	slot_t copy;

	(void)state;
	*touchable(6) = 1;
	assert_int_equal(stage2_evict(s2, gfn(6)), 0);
	assert_int_equal(*touchable(6), 1);
	settle();
	assert_true(copy_of(s2, 6, &copy));
	copy_keep(s2, 6, (slot_t){ copy.v + 1 });
	assert_names(AUDIT_SLOT, 6, true, false);
	copy_keep(s2, 6, copy);
	assert_sound(audit());
}

static void forget(uint64_t page)
{
	pthread_mutex_lock(&s2->lock);
	s2->policy->ops->remove(s2->policy, frame(page));
	pthread_mutex_unlock(&s2->lock);
}

static void remember(uint64_t page)
{
	pthread_mutex_lock(&s2->lock);
	s2->policy->ops->refer(s2->policy, frame(page));
	pthread_mutex_unlock(&s2->lock);
}

static void watched_page_that_is_not_queued(void **state)
{
	(void)state;
	*touchable(8) = 1;
	assert_int_equal(stage2_unmap(s2, gfn(8)), 0);
	forget(8);
	frame_set_add(&s2->watched, frame(8));
	assert_names(AUDIT_WATCH, 8, true, false);
	frame_set_remove(&s2->watched, frame(8));
	remember(8);
	*touchable(9) = 1;
	settle();
	watch_push(&s2->watch, frame(9));
	assert_sound(audit()); /* was rescued: its place is skipped */
	forget(9);
	frame_set_add(&s2->watched, frame(9));
	assert_names(AUDIT_WATCH, 9, true, false); /* but it is mapped */
	frame_set_remove(&s2->watched, frame(9));
	remember(9);
}

/* Of every policy; a stored page is its ghost, where it has any. Far apart, so
 * that none is mapped ahead. */
static void lists_of_the_policy_that_are_wrong(void **state)
{
	const uint64_t mapped = 10, unmapped = 300, stored = 700, fresh = 1100;

	(void)state;
	*touchable(mapped) = 1;
	*touchable(unmapped) = 1;
	assert_int_equal(stage2_unmap(s2, gfn(unmapped)), 0);
	*touchable(stored) = 1;
	assert_int_equal(stage2_evict(s2, gfn(stored)), 0);
	settle();
	for (unsigned i = 0; policies[i]; i++) {
		assert_int_equal(stage2_set_policy(s2, policies[i]), 0);
		assert_sound(audit());
		forget(mapped);
		assert_names(AUDIT_POLICY, mapped, true, false);
		remember(mapped);
		forget(unmapped);
		assert_names(AUDIT_POLICY, unmapped, true, false);
		remember(unmapped);
		remember(stored);
		assert_names(AUDIT_POLICY, stored, false, true);
		forget(stored);
		remember(fresh);
		assert_names(AUDIT_POLICY, fresh, false, true);
		forget(fresh);
		assert_sound(audit());
	}
}

static void two_pages_in_one_slot(void **state)
{
	struct pte right;

	(void)state;
	*touchable(7) = 7;
	*touchable(600) = 600;
	assert_int_equal(stage2_evict(s2, gfn(7)), 0);
	assert_int_equal(stage2_evict(s2, gfn(600)), 0);
	right = exchange(7, stage2_entry(s2, gfn(600)));
	struct audit_report r = audit();
	assert_true(r.diverged);
	assert_int_equal(r.check, AUDIT_SLOT_TWICE);
	assert_int_equal(r.want + r.got, gfn(7).v + gfn(600).v);
	assert_int_equal(r.got, r.gfn.v);
	exchange(7, right);
	assert_sound(audit());
}

static void counter_that_is_off(void **state)
{
	(void)state;
	*touchable(1) = 1;
	settle();
	s2->ept.pages[PTE_UNMAPPED]++;
	struct audit_report r = audit();
	assert_true(r.diverged);
	assert_int_equal(r.check, AUDIT_COUNTERS);
	assert_int_equal(r.kind, PTE_UNMAPPED);
	assert_int_equal(r.want, 1);
	assert_int_equal(r.got, 0);
	s2->ept.pages[PTE_UNMAPPED]--;
	assert_sound(audit());
}

static void slot_that_leaked(void **state)
{
	uint8_t *page = pages_new(1);
	struct swap_io io = { .page = page, .gfn = gfn(9) };

	(void)state;
	swap_store(swap, &io, 1);
	assert_int_equal(io.error, 0);
	assert_names(AUDIT_SWAP_USED, 0, 0, 1);
	swap_release(swap, io.slot);
	assert_sound(audit());
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_without_an_entry),
		TEST(stored_page_with_bytes),
		TEST(entry_without_bytes),
		TEST(leaf_that_is_not_mapped),
		TEST(unmapped_page_that_is_mapped),
		TEST(stored_page_whose_slot_is_dead),
		TEST(kept_copy_whose_slot_is_dead),
		TEST(watched_page_that_is_not_queued),
		TEST(lists_of_the_policy_that_are_wrong),
		TEST(two_pages_in_one_slot),
		TEST(counter_that_is_off),
		TEST(slot_that_leaked),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
