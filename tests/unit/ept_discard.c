/* SPDX-License-Identifier: MIT */
/* Discarding, from every state a page can be in, and pins. */
#include <pthread.h>
#include <string.h>

#include "ept/audit.h"
#include "ept/guest_mem.h"
#include "ept/observe.h"
#include "ept/state.h"
#include "tests/unit/stage2_fixture.h"

static uint64_t discard(uint64_t page, uint64_t pages)
{
	return guest_discard(s2, gpa_of(gfn(page)), pages << PAGE_SHIFT,
			     GUEST_BALLOONED);
}

static struct rung_count rung(enum rung r)
{
	struct ladder l;

	stage2_ladder(s2, &l);
	return l.rung[r];
}

static void check_audit(void)
{
	struct audit_report r;

	assert_int_equal(stage2_audit(s2, &r), 0);
	assert_false(r.diverged);
}

/* A page that says which it is, in no way that a codec likes. */
static void mark(uint64_t page)
{
	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		touchable(page)[i] = (page + 1) * 0x9e3779b97f4a7c15 + i * i;
}

static void check_zero(uint64_t page)
{
	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		assert_int_equal(touchable(page)[i], 0);
}

static int begin(void **state)
{
	(void)state;
	start((struct options){ .pages = PAGES });
	return 0;
}

static int end(void **state)
{
	(void)state;
	check_audit();
	stop();
	return 0;
}

#define DISCARD_TEST(what) cmocka_unit_test_setup_teardown(what, begin, end)

static void mapped_pages_become_zeros_and_free_frames(void **state)
{
	(void)state;
	for (uint64_t page = 0; page < PAGES; page++) /* none is to come */
		mark(page);
	assert_int_equal(stage2_measured_bytes(s2), PAGES << PAGE_SHIFT);
	/* Both regions, a batch and more of them. */
	assert_int_equal(discard(0, 256) + discard(256, 44), 300);
	assert_int_equal(counters().resident, PAGES - 300);
	assert_int_equal(stage2_measured_bytes(s2), (PAGES - 300)
							    << PAGE_SHIFT);
	assert_int_equal(rung(RUNG_BALLOONED).pages, 300);
	assert_int_equal(rung(RUNG_BALLOONED).bytes, 300 << PAGE_SHIFT);
	for (uint64_t page = 0; page < 300; page++)
		assert_int_equal(kind(page), PTE_ABSENT);
	for (uint64_t page = 0; page < 300; page++)
		check_zero(page);
}

static void an_unmapped_page_goes_too(void **state)
{
	(void)state;
	mark(7);
	assert_int_equal(stage2_unmap(s2, gfn(7)), 0);
	assert_int_equal(kind(7), PTE_UNMAPPED);
	assert_int_equal(guest_discard(s2, gpa_of(gfn(7)), PAGE_SIZE,
				       GUEST_REPORTED_FREE),
			 1);
	assert_int_equal(rung(RUNG_REPORTED_FREE).pages, 1);
	check_zero(7);
}

/* D13: the slot is freed, and the old bytes never come back. */
static void D13_a_stored_page_gives_its_slot_back(void **state)
{
	(void)state;
	mark(9);
	assert_int_equal(stage2_evict(s2, gfn(9)), 0);
	assert_int_equal(kind(9), PTE_STORED);
	assert_int_equal(swap_slots_used(swap), 1);
	assert_int_equal(discard(9, 1), 0); /* it held no frame */
	assert_int_equal(swap_slots_used(swap), 0);
	assert_int_equal(rung(RUNG_BALLOONED).pages, 0);
	check_zero(9);
}

/* It came back from swap and has its copy there still. */
static void a_kept_copy_goes_with_its_page(void **state)
{
	(void)state;
	mark(9);
	assert_int_equal(stage2_evict(s2, gfn(9)), 0);
	assert_int_not_equal(touchable(9)[0], 0);
	assert_int_equal(swap_slots_used(swap), 1);
	assert_int_equal(discard(9, 1), 1);
	assert_int_equal(swap_slots_used(swap), 0);
	check_zero(9);
}

/* What a pager would have brought is not wanted any more. */
static void a_page_of_the_image_becomes_zeros(void **state)
{
	uint8_t bytes[PAGE_SIZE];
	FILE *file = tmpfile();
	struct file_extent e = { .at = gpa_of((gfn_t){ 3 }),
				 .bytes = PAGE_SIZE,
				 .fd = fileno(file) };

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	assert_int_equal(fwrite(bytes, 1, sizeof(bytes), file), PAGE_SIZE);
	fflush(file);
	start((struct options){ .pages = PAGES, .extent = e });
	assert_int_equal(discard(3, 1), 0);
	check_zero(3);
	stop();
	fclose(file);
}

/* What a device uses stays, and so does all that is not whole, or no RAM. */
static void what_is_pinned_or_not_whole_or_no_ram_stays(void **state)
{
	void *pinned;

	(void)state;
	for (uint64_t page = 0; page < PAGES; page++)
		mark(page);
	assert_int_equal(guest_pin(s2, gpa_of(gfn(1)), true, &pinned), 0);
	assert_int_equal(discard(1, 1), 0);
	assert_int_not_equal(*(uint64_t *)pinned, 0);
	guest_unpin(s2, gpa_of(gfn(1)));
	assert_int_equal(discard(1, 1), 1);
	assert_int_equal(guest_discard(s2, (gpa_t){ 1 }, 2 * PAGE_SIZE - 2,
				       GUEST_BALLOONED),
			 0);
	assert_int_equal(guest_discard(s2, (gpa_t){ half << PAGE_SHIFT },
				       UINT64_C(1) << 30, GUEST_BALLOONED),
			 0);
	assert_int_equal(guest_discard(s2, (gpa_t){ UINT64_MAX - 1 }, 1,
				       GUEST_BALLOONED),
			 0);
	assert_int_equal(
		guest_discard(s2, (gpa_t){ 0 }, UINT64_MAX, GUEST_BALLOONED),
		PAGES - 1);
	assert_int_equal(counters().resident, 0);
}

static void pins_count_and_hold(void **state)
{
	void *first, *again;

	(void)state;
	assert_int_equal(guest_pin(s2, (gpa_t){ 0x2345 }, true, &first), 0);
	assert_int_equal(guest_pin(s2, (gpa_t){ 0x2000 }, true, &again), 0);
	assert_ptr_equal((uint8_t *)again + 0x345, first);
	assert_int_equal(stage2_evict(s2, (gfn_t){ 2 }), -EBUSY);
	guest_unpin(s2, (gpa_t){ 0x2fff });
	assert_int_equal(stage2_evict(s2, (gfn_t){ 2 }), -EBUSY);
	guest_unpin(s2, (gpa_t){ 0x2000 });
	assert_int_equal(stage2_evict(s2, (gfn_t){ 2 }), 0);
	assert_int_equal(
		guest_pin(s2, (gpa_t){ half << PAGE_SHIFT }, true, &first),
		-EFAULT);
	assert_true(guest_has(s2, (gpa_t){ 0 }, half << PAGE_SHIFT));
	assert_false(guest_has(s2, (gpa_t){ 1 }, half << PAGE_SHIFT));
	assert_false(guest_has(s2, (gpa_t){ UINT64_MAX }, 2));
}

#define ROUNDS 40

/* A vCPU, with a word of its own in every page. */
struct toucher {
	pthread_t thread;
	unsigned word;
	unsigned wrong; /* words that were neither its own old one nor zero */
};

static void *touch_all(void *arg)
{
	struct toucher *t = arg;

	for (unsigned round = 0; round < ROUNDS; round++)
		for (uint64_t page = 0; page < PAGES; page++) {
			uint64_t was = touchable(page)[t->word];

			t->wrong += was != 0 && was != page + 1;
			touchable(page)[t->word] = page + 1;
		}
	return NULL;
}

/* D6, D14: discards race with touches, eviction and fetches of all kinds. */
static void D6_D14_discards_race_with_touches(void **state)
{
	struct toucher t[2] = { { .word = 1 }, { .word = 2 } };

	(void)state;
	start((struct options){ .pages = PAGES, .limit = PAGES / 4 });
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&t[i].thread, NULL, touch_all, &t[i]),
			0);
	for (unsigned round = 0; round < 8 * ROUNDS; round++) {
		discard(round * 31 % (PAGES / 2), 64);
		stage2_evict(s2, gfn(round * 17 % PAGES));
		check_audit();
	}
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(t[i].thread, NULL);
		assert_int_equal(t[i].wrong, 0);
	}
	assert_int_equal(failures, 0);
	check_audit();
	/* What a window still brings is given up in the next round. */
	for (unsigned i = 0; i < 100 && counters().resident; i++) {
		discard(0, PAGES / 2);
		discard(PAGES / 2, PAGES / 2);
	}
	assert_int_equal(counters().resident, 0);
	assert_int_equal(swap_slots_used(swap), 0);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISCARD_TEST(mapped_pages_become_zeros_and_free_frames),
		DISCARD_TEST(an_unmapped_page_goes_too),
		DISCARD_TEST(D13_a_stored_page_gives_its_slot_back),
		DISCARD_TEST(a_kept_copy_goes_with_its_page),
		cmocka_unit_test(a_page_of_the_image_becomes_zeros),
		DISCARD_TEST(what_is_pinned_or_not_whole_or_no_ram_stays),
		DISCARD_TEST(pins_count_and_hold),
		cmocka_unit_test(D6_D14_discards_race_with_touches),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests_name("discard", tests, NULL, NULL);
}
