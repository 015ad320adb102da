/* SPDX-License-Identifier: MIT */
/*
 * The auditor, beside a stage 2 at work and after each kind of damage: every
 * check is proven able to fail, and to name what failed.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "ept/audit.h"
#include "ept/guest_mem.h"
#include "ept/state.h"
#include "ept/uffd.h"
#include "tests/unit/ept_pages.h"

#define PAGES 1200 /* chunks of 512, the last one in part */
#define HIGH  (1 << 20)
#define EVERY 7 /* operations to an audit */

static struct stage2 *s2;
static struct swap *swap;

static void on_failure(void *ctx, const struct stage2_failure *f)
{
	(void)ctx;
	fail_msg("gfn %#llx: %d", (unsigned long long)f->gfn.v, f->error);
}

static int start(void **state)
{
	const struct file_extent none = { .bytes = 0 };
	struct swap_config sc = { .tiers = 1, .pages = PAGES };
	struct stage2_config c = {
		.region = { { { 0 }, PAGES / 2 }, { { HIGH }, PAGES / 2 } },
		.regions = 2,
		.limit = PAGES,
		.policy = &policy_clock,
		.extent = &none,
		.paging = true,
		.vcpus = 2,
		.failed = on_failure,
	};

	(void)state;
	assert_int_equal(tier_ram_create(&sc.tier[0], 0, CODEC_LZ4), 0);
	assert_int_equal(swap_create(&swap, &sc), 0);
	c.swap = swap;
	return stage2_create(&s2, &c);
}

static int stop(void **state)
{
	(void)state;
	stage2_stop(s2);
	stage2_destroy(s2);
	assert_int_equal(swap_slots_used(swap), 0);
	swap_destroy(swap);
	return 0;
}

static gfn_t gfn(uint64_t page)
{
	return (gfn_t){ page < PAGES / 2 ? page : HIGH + page - PAGES / 2 };
}

static volatile uint64_t *touchable(uint64_t page)
{
	return stage2_host(s2, gfn(page));
}

static frame_t frame(uint64_t page)
{
	return (frame_t){ page };
}

static bool is_anyone_busy(void)
{
	for (uint64_t f = 0; f < PAGES; f++)
		if (frame_set_has(&s2->busy, frame(f)))
			return true;
	return false;
}

/* The touch that came last wakes before its page is at rest. */
static void settle(void)
{
	pthread_mutex_lock(&s2->lock);
	while (is_anyone_busy())
		pthread_cond_wait(&s2->settled, &s2->lock);
	pthread_mutex_unlock(&s2->lock);
}

static struct audit_report audit(void)
{
	struct audit_report r;

	assert_int_equal(stage2_audit(s2, &r), 0);
	return r;
}

static void assert_sound(struct audit_report r)
{
	if (r.diverged)
		fail_msg("%s: gfn %#llx, kind %d: want %llu, got %llu",
			 audit_name[r.check], (unsigned long long)r.gfn.v,
			 r.kind, (unsigned long long)r.want,
			 (unsigned long long)r.got);
}

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

/* Every check is made as often as there is something to check. */
static void all_is_looked_at(void **state)
{
	struct audit_report r;

	(void)state;
	for (uint64_t i = 0; i < 40; i++)
		*touchable(i) = i + 1;
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(stage2_evict(s2, gfn(i)), 0);
	for (uint64_t i = 0; i < 10; i++) /* they keep their copies */
		assert_int_equal(*touchable(i), i + 1);
	settle();
	r = audit();
	assert_sound(r);
	assert_int_equal(r.pages, PAGES);
	assert_int_equal(r.passed_over, 0);
	assert_int_equal(r.checked[AUDIT_MEMFD], PAGES);
	assert_int_equal(r.checked[AUDIT_PAGEMAP], PAGES);
	assert_int_equal(r.checked[AUDIT_POLICY], PAGES);
	assert_int_equal(r.checked[AUDIT_SLOT], 20);
	assert_int_equal(r.checked[AUDIT_SLOT_TWICE], 19);
	assert_int_equal(r.checked[AUDIT_COUNTERS], PTE_KINDS);
	assert_int_equal(r.checked[AUDIT_SWAP_USED], 1);
}

/* One operation on a page of [first, first + step, ...). */
static void operate(uint64_t *seed, uint64_t first, uint64_t step)
{
	uint64_t r = random_next(seed), word = r;
	uint64_t page = first + (r >> 8) % (PAGES / step) * step;

	switch (r % 8) {
	case 0:
	case 1:
		*touchable(page) = r;
		break;
	case 2:
		*touchable(page) = 0; /* zero again, if the rest is */
		break;
	case 3:
		(void)*touchable(page);
		break;
	case 4:
		assert_true(guest_write(s2, gpa_of(gfn(page)), &word, 8));
		break;
	case 5:
		stage2_evict(s2, gfn(page));
		break;
	case 6:
		stage2_unmap(s2, gfn(page));
		break;
	default:
		stage2_set_limit(s2, 200 + (r >> 32) % PAGES);
	}
}

static void sound_after_every_operation(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	printf("seed %llu\n", (unsigned long long)seed);
	for (unsigned i = 0; i < 6000; i++) {
		operate(&seed, 0, 1);
		if (i % EVERY == 0)
			assert_sound(audit());
	}
}

static _Atomic bool over;

static void *storm(void *arg)
{
	uint64_t seed = (uintptr_t)arg, first = seed;

	while (!over)
		operate(&seed, first, 2);
	return NULL;
}

static void sound_in_a_storm(void **state)
{
	pthread_t worker[2];

	(void)state;
	over = false;
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&worker[i], NULL, storm, (void *)i);
	for (unsigned i = 0; i < 200; i++) {
		stage2_set_policy(s2, policies[i % 8]);
		assert_sound(audit());
	}
	over = true;
	for (unsigned i = 0; i < 2; i++)
		pthread_join(worker[i], NULL);
	assert_sound(audit());
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

/* Each resident page is with the policy, under watch or leaving, once. */
static void policy_holds_who_is_resident(void **state)
{
	static bool held[PAGES];
	uint64_t seed = 4712;
	frame_t f;

	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		operate(&seed, 0, 1);
	settle();
	pthread_mutex_lock(&s2->lock);
	while (s2->policy->ops->choose(s2->policy, NULL, &f)) {
		assert_false(held[f.v]);
		held[f.v] = true;
	}
	for (uint64_t i = 0; i < PAGES; i++) {
		enum pte_kind kind = pte_kind(ept_lookup(&s2->ept, gfn(i)));
		bool known = (kind == PTE_LEAF || kind == PTE_UNMAPPED) &&
			     !frame_set_has(&s2->watched, frame(i));

		assert_int_equal(held[i], known);
		if (held[i])
			s2->policy->ops->refer(s2->policy, frame(i));
	}
	pthread_mutex_unlock(&s2->lock);
	assert_sound(audit());
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_is_looked_at),
		TEST(sound_after_every_operation),
		TEST(sound_in_a_storm),
		TEST(bytes_without_an_entry),
		TEST(stored_page_with_bytes),
		TEST(entry_without_bytes),
		TEST(leaf_that_is_not_mapped),
		TEST(unmapped_page_that_is_mapped),
		TEST(stored_page_whose_slot_is_dead),
		TEST(kept_copy_whose_slot_is_dead),
		TEST(watched_page_that_is_not_queued),
		TEST(lists_of_the_policy_that_are_wrong),
		TEST(policy_holds_who_is_resident),
		TEST(two_pages_in_one_slot),
		TEST(counter_that_is_off),
		TEST(slot_that_leaked),
	};
	int uffd = uffd_open();

	if (uffd == -EPERM || uffd == -EACCES) {
		printf("SKIP (userfaultfd is forbidden here)\n");
		return 0;
	}
	close(uffd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
