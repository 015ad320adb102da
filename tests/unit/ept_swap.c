/* SPDX-License-Identifier: MIT */
/* Swap: a page comes back as it left, or not at all. A fake tier lies, fails
 * and loses on demand; the real ones take part where their behaviour counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <cmocka.h>

#include "ept/swap.h"
#include "tests/unit/ept_pages.h"

#define PAGES 16 /* of most tests */

/* A tier in plain memory whose handles are indices. */
struct fake {
	struct tier base;
	unsigned room, held;
	bool used[256];
	uint8_t page[256][PAGE_SIZE];
	unsigned stores, loads; /* pages asked for */
	unsigned fail_store, fail_load; /* the nth of them fails; 0: none */
	unsigned lie_load; /* the nth load leaves the page as it was */
	bool broken; /* every load fails */
	bool picky; /* refuses what it may refuse */
};

static int fake_store_page(struct fake *f, struct tier_io *io, bool raw_ok)
{
	unsigned i = 0;

	if (++f->stores == f->fail_store)
		return -EIO;
	if (f->picky && !raw_ok)
		return -E2BIG;
	if (f->held == f->room)
		return -ENOSPC;
	while (f->used[i])
		i++;
	f->used[i] = true;
	f->held++;
	memcpy(f->page[i], io->page, PAGE_SIZE);
	io->where = i;
	return 0;
}

static void fake_store(struct tier *t, struct tier_io *io, unsigned n,
		       bool raw_ok)
{
	for (unsigned i = 0; i < n; i++)
		io[i].error = fake_store_page((struct fake *)t, &io[i], raw_ok);
}

static void fake_load(struct tier *t, struct tier_io *io, unsigned n)
{
	struct fake *f = (struct fake *)t;

	for (unsigned i = 0; i < n; i++) {
		f->loads++;
		io[i].error = f->broken || f->loads == f->fail_load ? -EIO : 0;
		if (!io[i].error && f->loads != f->lie_load)
			memcpy(io[i].page, f->page[io[i].where], PAGE_SIZE);
	}
}

static void fake_release(struct tier *t, uint64_t where)
{
	struct fake *f = (struct fake *)t;

	assert_true(f->used[where]);
	f->used[where] = false;
	f->held--;
}

static void fake_stats(struct tier *t, struct tier_stats *st)
{
	unsigned held = ((struct fake *)t)->held;

	*st = (struct tier_stats){ held, held * PAGE_SIZE, held * PAGE_SIZE };
}

static void fake_destroy(struct tier *t)
{
	assert_int_equal(((struct fake *)t)->held, 0);
	free(t);
}

static const struct tier_ops fake_ops = {
	.name = "fake",
	.store = fake_store,
	.load = fake_load,
	.release = fake_release,
	.stats = fake_stats,
	.destroy = fake_destroy,
};

static struct fake *fake_new(unsigned room)
{
	struct fake *f = calloc(1, sizeof(*f));

	f->base.ops = &fake_ops;
	f->room = room;
	return f;
}

static struct swap *swap_over(struct tier *first, struct tier *second,
			      uint64_t flip_nth)
{
	struct swap_config c = { .tier = { first, second },
				 .tiers = !!first + !!second,
				 .flip_nth = flip_nth };
	struct swap *s;

	assert_int_equal(swap_create(&s, &c), 0);
	return s;
}

/* A set of pages with gfns 100, 101, ... on their way. */
struct set {
	uint8_t *out, *in;
	struct swap_io io[TIER_BATCH];
	unsigned n;
};

static struct set set_new(unsigned n)
{
	struct set p = { pages_new(n), pages_new(n), .n = n };

	for (unsigned i = 0; i < n; i++) {
		page_text(p.out + i * PAGE_SIZE, i);
		p.io[i] = (struct swap_io){ .page = p.out + i * PAGE_SIZE,
					    .gfn = { 100 + i },
					    .error = 1 };
	}
	return p;
}

static unsigned ended(const struct set *p, int error)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++)
		n += p->io[i].error == error;
	return n;
}

static void set_load(struct swap *s, struct set *p)
{
	for (unsigned i = 0; i < p->n; i++)
		p->io[i].page = p->in + i * PAGE_SIZE;
	swap_load(s, p->io, p->n);
	for (unsigned i = 0; i < p->n; i++)
		if (!p->io[i].error)
			assert_memory_equal(p->in + i * PAGE_SIZE,
					    p->out + i * PAGE_SIZE, PAGE_SIZE);
}

static void set_free(struct set *p)
{
	free(p->out);
	free(p->in);
}

/* Ends a test: gives up the slots that @stored says and checks that nothing
 * is left anywhere. */
static void finish(struct swap *s, struct set *p, uint64_t stored)
{
	struct tier_stats st;

	for (unsigned i = 0; i < p->n; i++)
		if (stored >> i & 1)
			swap_release(s, p->io[i].slot);
	assert_int_equal(swap_slots_used(s), 0);
	for (unsigned i = 0; i < swap_tiers(s); i++) {
		swap_tier_stats(s, i, &st);
		assert_int_equal(st.pages, 0);
		assert_int_equal(st.stored_bytes, 0);
	}
	swap_destroy(s);
	set_free(p);
}

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

static void check_pages(struct swap *s, uint64_t first, uint64_t second)
{
	struct tier_stats st;

	swap_tier_stats(s, 0, &st);
	assert_int_equal(st.pages, first);
	swap_tier_stats(s, 1, &st);
	assert_int_equal(st.pages, second);
}

static void a_full_tier_spills_into_the_next(void **state)
{
	struct fake *small = fake_new(4), *large = fake_new(8);
	struct swap *s = swap_over(&small->base, &large->base, 0);
	struct set p = set_new(PAGES);

	(void)state;
	swap_store(s, p.io, 10);
	check_pages(s, 4, 6);
	swap_store(s, p.io + 10, 6);
	check_pages(s, 4, 8);
	assert_int_equal(ended(&p, 0), 12);
	assert_int_equal(ended(&p, -ENOSPC), 4);
	assert_int_equal(swap_slots_used(s), 12);
	p.n = 12;
	set_load(s, &p);
	assert_int_equal(ended(&p, 0), 12);
	finish(s, &p, 0xfff);
}

/* Real tiers: text stays in RAM, noise goes to the file. */
static void what_does_not_pay_goes_to_the_next(void **state)
{
	struct tier *ram, *file;
	struct set p = set_new(PAGES);
	struct swap *s;

	(void)state;
	assert_int_equal(tier_ram_create(&ram, 1 << 20, CODEC_LZ4), 0);
	assert_int_equal(tier_file_create(&file, "/dev/shm", 1 << 20), 0);
	s = swap_over(ram, file, 0);
	page_random(p.out + 2 * PAGE_SIZE, 2);
	page_random(p.out + 9 * PAGE_SIZE, 9);
	swap_store(s, p.io, PAGES);
	assert_int_equal(ended(&p, 0), PAGES);
	check_pages(s, PAGES - 2, 2);
	assert_string_equal(swap_tier_name(s, p.io[1].slot), "ram");
	assert_string_equal(swap_tier_name(s, p.io[2].slot), "file");
	assert_string_equal(swap_tier_name(s, p.io[9].slot), "file");
	set_load(s, &p);
	assert_int_equal(ended(&p, 0), PAGES);
	finish(s, &p, 0xffff);
}

static void the_last_tier_takes_what_does_not_pay(void **state)
{
	struct fake *f = fake_new(64);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(PAGES);

	(void)state;
	f->picky = true;
	swap_store(s, p.io, PAGES);
	assert_int_equal(ended(&p, 0), PAGES);
	finish(s, &p, 0xffff);
}

static void without_tiers_nothing_is_stored(void **state)
{
	struct swap *s = swap_over(NULL, NULL, 0);
	struct set p = set_new(PAGES);

	(void)state;
	assert_int_equal(swap_tiers(s), 0);
	swap_store(s, p.io, PAGES);
	assert_int_equal(ended(&p, -ENOSPC), PAGES);
	finish(s, &p, 0);
}

/* For every N: the Nth store fails. That page alone stays, slotless. */
static void any_store_may_fail(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		struct fake *f = fake_new(64);
		struct swap *s = swap_over(&f->base, NULL, 0);
		struct set p = set_new(PAGES);
		uint64_t stored = 0xffff & ~(UINT64_C(1) << (nth - 1));

		f->fail_store = nth;
		swap_store(s, p.io, PAGES);
		assert_int_equal(ended(&p, 0), PAGES - 1);
		assert_int_equal(p.io[nth - 1].error, -EIO);
		assert_int_equal(swap_slots_used(s), PAGES - 1);
		assert_int_equal(f->held, PAGES - 1);
		p.io[nth - 1].slot.v = UINT64_MAX; /* we keep none */
		set_load(s, &p);
		assert_int_equal(ended(&p, 0), PAGES - 1);
		finish(s, &p, stored);
	}
}

/* The same with a second tier: it takes the page. */
static void a_failing_store_goes_to_the_next(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		struct fake *f = fake_new(64), *second = fake_new(64);
		struct swap *s = swap_over(&f->base, &second->base, 0);
		struct set p = set_new(PAGES);

		f->fail_store = nth;
		swap_store(s, p.io, PAGES);
		assert_int_equal(ended(&p, 0), PAGES);
		check_pages(s, PAGES - 1, 1);
		set_load(s, &p);
		assert_int_equal(ended(&p, 0), PAGES);
		finish(s, &p, 0xffff);
	}
}

/* For every N: the Nth load fails once, and its second try does not. */
static void any_load_may_fail_once(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		struct fake *f = fake_new(64);
		struct swap *s = swap_over(&f->base, NULL, 0);
		struct set p = set_new(PAGES);

		f->fail_load = nth;
		swap_store(s, p.io, PAGES);
		set_load(s, &p);
		assert_int_equal(ended(&p, 0), PAGES);
		assert_int_equal(f->loads, PAGES + 1);
		finish(s, &p, 0xffff);
	}
}

/* For every N: the Nth load says it succeeded and delivers nothing. */
static void any_load_may_lie_once(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		struct fake *f = fake_new(64);
		struct swap *s = swap_over(&f->base, NULL, 0);
		struct set p = set_new(PAGES);

		f->lie_load = nth;
		swap_store(s, p.io, PAGES);
		set_load(s, &p);
		assert_int_equal(ended(&p, 0), PAGES);
		assert_int_equal(f->loads, PAGES + 1);
		finish(s, &p, 0xffff);
	}
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void a_broken_medium_is_tried_four_times(void **state)
{
	struct fake *f = fake_new(64);
	struct swap *s = swap_over(&f->base, NULL, 0);
	struct set p = set_new(1);
	uint64_t start = now_ms();

	(void)state;
	swap_store(s, p.io, 1);
	f->broken = true;
	set_load(s, &p);
	assert_int_equal(p.io[0].error, -EIO);
	assert_int_equal(f->loads, 4);
	assert_in_range(now_ms() - start, 1110, 5000);
	finish(s, &p, 1);
}

/* Threads with pages of their own, over real tiers that overflow. Errors are
 * counted: cmocka belongs to the main thread. */
struct worker {
	struct swap *swap;
	uint64_t gfn;
	unsigned wrong, failed;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct set p = set_new(PAGES);

	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < PAGES; i++) {
			uint8_t *page = p.out + i * PAGE_SIZE;

			page_mixed(page, w->gfn);
			p.io[i].page = page;
			p.io[i].gfn.v = w->gfn++;
		}
		swap_store(w->swap, p.io, PAGES);
		w->failed += ended(&p, 0) != PAGES;
		for (unsigned i = 0; i < PAGES; i++) {
			w->failed += !swap_same(w->swap, p.io[i].slot,
						p.io[i].gfn, p.io[i].page);
			p.io[i].page = p.in + i * PAGE_SIZE;
		}
		swap_load(w->swap, p.io, PAGES);
		w->failed += ended(&p, 0) != PAGES;
		w->wrong += memcmp(p.in, p.out, PAGES * PAGE_SIZE) != 0;
		for (unsigned i = 0; i < PAGES; i++)
			swap_release(w->swap, p.io[i].slot);
	}
	set_free(&p);
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct set none = { .n = 0 };
	struct tier *ram, *file;
	struct worker w[5];
	pthread_t thread[5];
	struct swap *s;

	(void)state;
	assert_int_equal(tier_ram_create(&ram, 64 << 10, CODEC_ZSTD), 0);
	assert_int_equal(tier_file_create(&file, "/dev/shm", 1 << 20), 0);
	s = swap_over(ram, file, 0);
	for (unsigned i = 0; i < 5; i++) {
		w[i] = (struct worker){ s, i * 10000, 0, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]),
				 0);
	}
	for (unsigned i = 0; i < 5; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].failed, 0);
		assert_int_equal(w[i].wrong, 0);
	}
	finish(s, &none, 0);
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
		cmocka_unit_test(a_full_tier_spills_into_the_next),
		cmocka_unit_test(what_does_not_pay_goes_to_the_next),
		cmocka_unit_test(the_last_tier_takes_what_does_not_pay),
		cmocka_unit_test(without_tiers_nothing_is_stored),
		cmocka_unit_test(any_store_may_fail),
		cmocka_unit_test(a_failing_store_goes_to_the_next),
		cmocka_unit_test(any_load_may_fail_once),
		cmocka_unit_test(any_load_may_lie_once),
		cmocka_unit_test(a_broken_medium_is_tried_four_times),
		cmocka_unit_test(threads_do_not_disturb_each_other),
		cmocka_unit_test(destroying_nothing_is_allowed),
	};

	return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
