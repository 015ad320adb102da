/* SPDX-License-Identifier: MIT */
/* Swap: what stores no bytes, what does not pay, and what is told about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/ept_swap_fixture.h"

static void fill(uint8_t *page, uint64_t word)
{
	for (unsigned i = 0; i < PAGE_SIZE; i += sizeof(word))
		memcpy(page + i, &word, sizeof(word));
}

/* Eight of sixteen repeat a word; the last of them but for one byte. */
static void same_filled_pages_store_no_bytes(void **state)
{
	struct fake *f = fake_new(64);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(PAGES);

	(void)state;
	for (unsigned i = 0; i < 9; i++)
		fill(p.out + i * PAGE_SIZE, 0x0123456789abcdef * i);
	p.out[9 * PAGE_SIZE - 1]++;
	swap_store(s, p.io, PAGES);
	assert_int_equal(ended(&p, 0), PAGES);
	assert_int_equal(f->stores, PAGES - 8);
	assert_int_equal(f->held, PAGES - 8);
	assert_int_equal(swap_slots_used(s), PAGES);
	assert_int_equal(swap_tier(s, p.io[0].slot), SWAP_SAME);
	assert_string_equal(swap_tier_name(s, p.io[7].slot), "same");
	assert_string_equal(swap_tier_name(s, p.io[8].slot), "fake");
	assert_int_equal(counts_of(s).same_held, 8);
	set_load(s, &p);
	assert_int_equal(ended(&p, 0), PAGES);
	assert_int_equal(f->loads, PAGES - 8);
	swap_release(s, p.io[3].slot);
	assert_int_equal(counts_of(s).same_held, 7);
	assert_int_equal(counts_of(s).same_stored, 8);
	assert_int_equal(counts_of(s).same_loaded, 8);
	finish(s, &p, 0xfff7);
}

static void a_same_filled_page_is_verified(void **state)
{
	struct swap *s = swap_over(&fake_new(4)->base, NULL, 2);
	struct set p = set_new(2);

	(void)state;
	fill(p.out, 1);
	fill(p.out + PAGE_SIZE, 1);
	swap_store(s, p.io, 2);
	set_load(s, &p);
	assert_int_equal(p.io[0].error, 0);
	assert_int_equal(p.io[1].error, -EBADMSG); /* the flipped one */
	p.io[0].gfn.v++;
	set_load(s, &p);
	assert_int_equal(p.io[0].error, -EBADMSG); /* somebody else's */
	finish(s, &p, 3);
}

/* Text stays in the first tier; noise is refused there once a page, and once
 * more by none. */
static void what_does_not_pay_is_asked_once(void **state)
{
	struct fake *second = fake_new(64);
	struct set p = set_new(PAGES);
	struct tier *ram;
	struct swap *s;

	(void)state;
	assert_int_equal(tier_ram_create(&ram, 1 << 20, CODEC_LZ4), 0);
	s = swap_over(ram, &second->base, 0);
	for (unsigned i = 0; i < 5; i++)
		page_random(p.out + i * PAGE_SIZE, i);
	swap_store(s, p.io, PAGES);
	assert_int_equal(ended(&p, 0), PAGES);
	assert_int_equal(traffic_of(s, 0).refused, 5);
	assert_int_equal(traffic_of(s, 0).stored, PAGES - 5);
	assert_in_range(traffic_of(s, 0).stored_bytes, PAGES - 5,
			(PAGES - 5) * 3072);
	assert_int_equal(traffic_of(s, 1).stored, 5);
	assert_int_equal(traffic_of(s, 1).stored_bytes, 5 * PAGE_SIZE);
	for (unsigned round = 0; round < 4; round++) {
		set_load(s, &p);
		for (unsigned i = 0; i < PAGES; i++)
			assert_true(swap_same(s, p.io[i].slot, p.io[i].gfn,
					      p.out + i * PAGE_SIZE));
	}
	assert_int_equal(traffic_of(s, 0).refused, 5);
	assert_int_equal(counts_of(s).promoted, 0);
	assert_int_equal(second->held, 5);
	finish(s, &p, 0xffff);
}

static void failures_are_counted(void **state)
{
	struct fake *f = fake_new(PAGES - 4);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(PAGES);
	struct swap_traffic t;

	(void)state;
	f->fail_store = 3;
	swap_store(s, p.io, PAGES);
	t = traffic_of(s, 0);
	assert_int_equal(t.stored, PAGES - 4);
	assert_int_equal(t.store_failures, 1); /* 3 more found no room */
	assert_true(t.store_ticks > 0);
	f->fail_load = 5;
	f->lie_load = 7;
	p.n = 2;
	for (unsigned round = 0; round < 4; round++)
		set_load(s, &p);
	t = traffic_of(s, 0);
	assert_int_equal(ended(&p, 0), 2);
	assert_int_equal(t.load_failures, 2);
	assert_int_equal(t.loaded + 1, f->loads);
	p.n = PAGES;
	finish(s, &p, 0x1ffb);
}

static void a_slot_comes_back_from_its_record(void **state)
{
	struct swap *s = swap_over(&fake_new(64)->base, NULL, 0);
	struct set p = set_new(PAGES);

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		swap_store(s, p.io, PAGES);
		for (unsigned i = 0; i < PAGES; i++) {
			uint32_t record = swap_record_of_slot(p.io[i].slot);

			assert_true(record < swap_records(s));
			assert_int_equal(swap_slot_of(s, record).v,
					 p.io[i].slot.v);
			swap_release(s, p.io[i].slot);
		}
	}
	finish(s, &p, 0);
}

static void descriptions_are_true(void **state)
{
	struct tier *ram;
	struct swap_description d;
	struct set p = set_new(3);
	struct swap *s;

	(void)state;
	assert_int_equal(tier_ram_create(&ram, 1 << 20, CODEC_ZSTD), 0);
	s = swap_over(ram, NULL, 0);
	fill(p.out, 7);
	page_random(p.out + PAGE_SIZE, 1);
	swap_store(s, p.io, 3);
	swap_describe(s, p.io[0].slot, p.io[0].gfn, &d);
	assert_string_equal(d.tier, "same");
	assert_string_equal(d.codec, "none");
	assert_int_equal(d.bytes, 0);
	assert_int_equal(d.error, 0);
	swap_describe(s, p.io[1].slot, p.io[1].gfn, &d);
	assert_string_equal(d.tier, "ram");
	assert_string_equal(d.codec, "none");
	assert_int_equal(d.bytes, PAGE_SIZE);
	assert_int_equal(d.error, 0);
	swap_describe(s, p.io[2].slot, p.io[2].gfn, &d);
	assert_string_equal(d.codec, "zstd");
	assert_in_range(d.bytes, 500, 2500);
	assert_int_equal(d.error, 0);
	swap_describe(s, p.io[2].slot, p.io[1].gfn, &d);
	assert_int_equal(d.error, -EBADMSG);
	swap_describe(s, (slot_t){ 77 }, p.io[1].gfn, &d);
	assert_string_equal(d.tier, "none");
	assert_int_equal(d.error, -EBADMSG);
	finish(s, &p, 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_filled_pages_store_no_bytes),
		cmocka_unit_test(a_same_filled_page_is_verified),
		cmocka_unit_test(what_does_not_pay_is_asked_once),
		cmocka_unit_test(failures_are_counted),
		cmocka_unit_test(a_slot_comes_back_from_its_record),
		cmocka_unit_test(descriptions_are_true),
	};

	return cmocka_run_group_tests_name("swap tells", tests, NULL, NULL);
}
