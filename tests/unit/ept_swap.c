/* SPDX-License-Identifier: MIT */
/* Swap: a page comes back as it left, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ept/swap_state.h"
#include "tests/unit/ept_swap_fixture.h"

static void pages_come_back(void **state)
{
	struct fake *f = fake_new(64);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(64);

	(void)state;
	swap_store(s, p.io, 64);
	assert_int_equal(ended(&p, 0), 64);
	assert_int_equal(swap_slots_used(s), 64);
	set_load(s, &p);
	set_load(s, &p); /* the copies stay */
	assert_int_equal(ended(&p, 0), 64);
	assert_int_equal(f->loads, 128);
	finish(s, &p, UINT64_MAX);
}

/* A slot must fit a stage-2 entry, and no two pages may share one. */
static void slots_are_distinct_and_fit(void **state)
{
	struct swap *s = swap_over(&fake_new(64)->base, NULL, 0);
	struct set p = set_new(64);

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		swap_store(s, p.io, 64);
		for (unsigned i = 0; i < 64; i++) {
			assert_int_equal(p.io[i].slot.v >> 52, 0);
			for (unsigned j = 0; j < i; j++)
				assert_int_not_equal(p.io[i].slot.v,
						     p.io[j].slot.v);
		}
		for (unsigned i = 0; i < 64; i++)
			swap_release(s, p.io[i].slot);
	}
	finish(s, &p, 0);
}

static void a_flipped_bit_is_noticed(void **state)
{
	struct fake *f = fake_new(64);
	struct swap *s = swap_over(&f->base, NULL, 6);
	struct set p = set_new(PAGES);

	(void)state;
	swap_store(s, p.io, PAGES);
	assert_int_equal(ended(&p, 0), PAGES);
	set_load(s, &p);
	assert_int_equal(ended(&p, 0), PAGES - 1);
	assert_int_equal(p.io[5].error, -EBADMSG);
	assert_int_equal(f->loads, PAGES + 1); /* once more, at once */
	finish(s, &p, 0xffff);
}

/* Each bit of a page, one at a time. */
static void every_bit_counts(void **state)
{
	struct fake *f = fake_new(1);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(1);

	(void)state;
	swap_store(s, p.io, 1);
	for (unsigned bit = 0; bit < PAGE_SIZE * 8; bit++) {
		p.out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(swap_same(s, p.io[0].slot, p.io[0].gfn, p.out));
		p.out[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(swap_same(s, p.io[0].slot, p.io[0].gfn, p.out));
	assert_int_equal(f->loads, 0);
	finish(s, &p, 1);
}

static void exchange(struct fake *f, unsigned a, unsigned b)
{
	static uint8_t page[PAGE_SIZE];

	memcpy(page, f->page[a], PAGE_SIZE);
	memcpy(f->page[a], f->page[b], PAGE_SIZE);
	memcpy(f->page[b], page, PAGE_SIZE);
}

static void exchanged_places_are_noticed(void **state)
{
	struct fake *f = fake_new(64);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(PAGES);

	(void)state;
	swap_store(s, p.io, PAGES);
	exchange(f, 3, 7);
	set_load(s, &p);
	assert_int_equal(ended(&p, 0), PAGES - 2);
	assert_int_equal(p.io[3].error, -EBADMSG);
	assert_int_equal(p.io[7].error, -EBADMSG);
	exchange(f, 3, 7);
	set_load(s, &p);
	assert_int_equal(ended(&p, 0), PAGES);
	finish(s, &p, 0xffff);
}

/* The tier gives back what the same page held before. */
static void an_older_copy_is_noticed(void **state)
{
	struct fake *f = fake_new(1);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(1);
	static uint8_t older[PAGE_SIZE];

	(void)state;
	swap_store(s, p.io, 1);
	memcpy(older, f->page[0], PAGE_SIZE);
	swap_release(s, p.io[0].slot);
	p.out[17]++;
	swap_store(s, p.io, 1);
	memcpy(f->page[0], older, PAGE_SIZE);
	set_load(s, &p);
	assert_int_equal(p.io[0].error, -EBADMSG);
	finish(s, &p, 1);
}

/* A slot that was released is nobody's, even when its record lives again
 * with the same bytes of the same page. */
static void a_stale_slot_is_noticed(void **state)
{
	struct fake *f = fake_new(1);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(1);
	slot_t stale, now;

	(void)state;
	swap_store(s, p.io, 1);
	stale = p.io[0].slot;
	assert_string_equal(swap_tier_name(s, stale), "fake");
	swap_release(s, stale);
	assert_string_equal(swap_tier_name(s, stale), "none");
	swap_store(s, p.io, 1);
	now = p.io[0].slot;
	assert_int_not_equal(now.v, stale.v);
	assert_false(swap_same(s, stale, p.io[0].gfn, p.out));
	p.io[0].slot = stale;
	set_load(s, &p);
	assert_int_equal(p.io[0].error, -EBADMSG);
	assert_int_equal(f->loads, 0);
	p.io[0].slot = now;
	finish(s, &p, 1);
}

static void nonsense_slots_are_refused(void **state)
{
	static const uint64_t slots[] = {
		0, 1, 0xffffffff, 1ull << 32, (1ull << 52) - 1, UINT64_MAX
	};
	struct swap *s = swap_over(&fake_new(1)->base, NULL, 0);
	struct set p = set_new(1);

	(void)state;
	for (unsigned i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
		p.io[0].slot.v = slots[i];
		set_load(s, &p);
		assert_int_equal(p.io[0].error, -EBADMSG);
		assert_false(swap_same(s, p.io[0].slot, p.io[0].gfn, p.out));
	}
	finish(s, &p, 0);
}

/* The right bytes of the wrong page. */
static void another_gfn_is_noticed(void **state)
{
	struct swap *s = swap_over(&fake_new(1)->base, NULL, 0);
	struct set p = set_new(1);

	(void)state;
	swap_store(s, p.io, 1);
	assert_true(swap_same(s, p.io[0].slot, (gfn_t){ 100 }, p.out));
	assert_false(swap_same(s, p.io[0].slot, (gfn_t){ 101 }, p.out));
	p.io[0].gfn.v = 101;
	set_load(s, &p);
	assert_int_equal(p.io[0].error, -EBADMSG);
	finish(s, &p, 1);
}

/* The tag of one and the same page, as stored just now. */
static struct tag tag_in(struct swap *s, struct set *p, uint64_t gfn)
{
	struct tag tag;

	p->io[0].gfn.v = gfn;
	swap_store(s, p->io, 1);
	tag = record_of(&s->records, p->io[0].slot)->tag;
	swap_release(s, p->io[0].slot);
	return tag;
}

/* The same bytes in the same record: of another page, of an earlier time, of
 * another VM, whose bytes alone make another tag. */
static void a_tag_is_one_vms_one_pages_and_one_times(void **state)
{
	struct swap *s = swap_over(&fake_new(1)->base, NULL, 0);
	struct swap *other = swap_over(&fake_new(1)->base, NULL, 0);
	struct set p = set_new(1), none = { .n = 0 };
	struct tag first = tag_in(s, &p, 100), later = tag_in(s, &p, 100);
	struct tag theirs = tag_in(other, &p, 100);
	struct tag page = tag_in(other, &p, 101);

	(void)state;
	assert_true(first.bytes == later.bytes && first.who != later.who);
	assert_true(theirs.bytes == page.bytes && theirs.who != page.who);
	assert_true(first.bytes != theirs.bytes && first.who != theirs.who);
	finish(other, &none, 0);
	finish(s, &p, 0);
}

static void destroying_nothing_is_allowed(void **state)
{
	(void)state;
	swap_destroy(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_come_back),
		cmocka_unit_test(slots_are_distinct_and_fit),
		cmocka_unit_test(a_flipped_bit_is_noticed),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(exchanged_places_are_noticed),
		cmocka_unit_test(an_older_copy_is_noticed),
		cmocka_unit_test(a_stale_slot_is_noticed),
		cmocka_unit_test(nonsense_slots_are_refused),
		cmocka_unit_test(another_gfn_is_noticed),
		cmocka_unit_test(a_tag_is_one_vms_one_pages_and_one_times),
		cmocka_unit_test(destroying_nothing_is_allowed),
	};

	return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
