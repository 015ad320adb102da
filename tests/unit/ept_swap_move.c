/* SPDX-License-Identifier: MIT */
/* Swap: what moves between tiers. A page keeps its slot and its tag wherever its
 * copy goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <cmocka.h>

#include "tests/unit/ept_swap_fixture.h"

/* A chain whose first tier holds @n sets of 64 pages and is nearly full. */
struct chain {
	struct fake *first, *second;
	struct swap *swap;
	struct set set[4];
	unsigned sets;
};

static void chain_store(struct chain *c)
{
	struct set *p = &c->set[c->sets];

	*p = set_new(TIER_BATCH);
	for (unsigned i = 0; i < TIER_BATCH; i++)
		p->io[i].gfn.v += c->sets * TIER_BATCH;
	swap_store(c->swap, p->io, TIER_BATCH);
	assert_int_equal(ended(p, 0), TIER_BATCH);
	c->sets++;
}

static struct chain chain_new(unsigned sets)
{
	struct chain c = { .first = fake_new(sets * TIER_BATCH + 2),
			   .second = fake_new(256) };

	c.swap = swap_over(&c.first->base, &c.second->base, 0);
	for (unsigned i = 0; i < sets; i++)
		chain_store(&c);
	return c;
}

/* How many pages of set @i lie in the second tier. */
static unsigned moved_of(const struct chain *c, unsigned i)
{
	unsigned n = 0;

	for (unsigned k = 0; k < TIER_BATCH; k++)
		n += swap_tier(c->swap, c->set[i].io[k].slot) == 1;
	return n;
}

/* Every page is still what it was; then nothing is left. */
static void chain_end(struct chain *c)
{
	struct set none = { .n = 0 };

	for (unsigned i = 0; i < c->sets; i++) {
		set_load(c->swap, &c->set[i]);
		assert_int_equal(ended(&c->set[i], 0), TIER_BATCH);
		for (unsigned k = 0; k < TIER_BATCH; k++)
			swap_release(c->swap, c->set[i].io[k].slot);
		set_free(&c->set[i]);
	}
	finish(c->swap, &none, 0);
}

/* The oldest batch goes first; what was used since is spared. */
static void a_nearly_full_tier_hands_on(void **state)
{
	struct chain c = chain_new(3);

	(void)state;
	assert_int_equal(swap_demote(c.swap), TIER_BATCH);
	assert_int_equal(moved_of(&c, 0), TIER_BATCH);
	assert_int_equal(c.first->held, 2 * TIER_BATCH);
	assert_int_equal(c.second->held, TIER_BATCH);
	assert_int_equal(swap_demote(c.swap), 0); /* there is room now */
	chain_store(&c);
	c.set[1].n = 8;
	set_load(c.swap, &c.set[1]);
	c.set[1].n = TIER_BATCH;
	assert_int_equal(swap_demote(c.swap), TIER_BATCH);
	assert_int_equal(moved_of(&c, 1), TIER_BATCH - 8);
	assert_int_equal(moved_of(&c, 2), 8);
	assert_int_equal(moved_of(&c, 3), 0);
	assert_int_equal(counts_of(c.swap).demoted, 2 * TIER_BATCH);
	chain_end(&c);
}

/* Half a batch of records, none used lately: the hand comes by each twice. */
static void a_few_pages_move_too(void **state)
{
	struct fake *first = fake_new(34), *second = fake_new(64);
	struct swap *s = swap_over(&first->base, &second->base, 0);
	struct set p = set_new(32);

	(void)state;
	swap_store(s, p.io, 32);
	first->broken = true;
	assert_int_equal(swap_demote(s), 0);
	first->broken = false;
	assert_int_equal(swap_demote(s), 32);
	assert_int_equal(second->held, 32);
	set_load(s, &p);
	assert_int_equal(ended(&p, 0), 32);
	finish(s, &p, UINT32_MAX);
}

/* Nobody behind, or nobody with room: nothing is even read. */
static void where_there_is_no_room_nothing_moves(void **state)
{
	struct chain c = chain_new(1);
	struct swap *alone = swap_over(&fake_new(0)->base, NULL, 0);
	struct set none = { .n = 0 };

	(void)state;
	c.second->room = TIER_BATCH - 1;
	assert_int_equal(swap_demote(c.swap), 0);
	assert_int_equal(c.first->loads, 0);
	chain_end(&c);
	assert_int_equal(swap_demote(alone), 0);
	finish(alone, &none, 0);
}

/* For every N: the Nth read or write of a move fails, or lies. That page stays
 * where it was, whole. */
static void any_move_may_fail(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= TIER_BATCH; nth++) {
		for (unsigned how = 0; how < 3; how++) {
			struct chain c = chain_new(1);

			c.first->fail_load = how == 0 ? nth : 0;
			c.first->lie_load = how == 1 ? nth : 0;
			c.second->fail_store = how == 2 ? nth : 0;
			assert_int_equal(swap_demote(c.swap), TIER_BATCH - 1);
			assert_int_equal(c.first->held, 1);
			assert_int_equal(moved_of(&c, 0), TIER_BATCH - 1);
			chain_end(&c);
		}
	}
}

static void release_some(void *ctx)
{
	struct chain *c = ctx;

	for (unsigned i = 0; i < 5; i++)
		swap_release(c->swap, c->set[0].io[i].slot);
}

static void a_page_may_be_released_while_it_moves(void **state)
{
	struct chain c = chain_new(1);

	(void)state;
	c.second->on_store = release_some;
	c.second->ctx = &c;
	assert_int_equal(swap_demote(c.swap), TIER_BATCH - 5);
	assert_int_equal(c.first->held, 0);
	assert_int_equal(c.second->held, TIER_BATCH - 5);
	assert_int_equal(swap_slots_used(c.swap), TIER_BATCH - 5);
	swap_store(c.swap, c.set[0].io, 5);
	chain_end(&c);
}

static void move_all(void *ctx)
{
	struct chain *c = ctx;

	assert_int_equal(swap_demote(c->swap), TIER_BATCH - 5);
}

/* Whoever is reading keeps the copy where it is. */
static void a_page_may_be_loaded_while_it_moves(void **state)
{
	struct chain c = chain_new(1);

	(void)state;
	c.first->on_load = move_all;
	c.first->ctx = &c;
	c.set[0].n = 5;
	set_load(c.swap, &c.set[0]);
	assert_int_equal(ended(&c.set[0], 0), 5);
	c.set[0].n = TIER_BATCH;
	assert_int_equal(c.first->held, 5);
	assert_int_equal(c.second->held, TIER_BATCH - 5);
	chain_end(&c);
}

static void load_and_leave(struct swap *s, struct set *p)
{
	set_load(s, p);
	assert_int_equal(ended(p, 0), p->n);
	for (unsigned i = 0; i < p->n; i++)
		assert_true(swap_same(s, p->io[i].slot, p->io[i].gfn,
				      p->out + i * PAGE_SIZE));
}

/* Loaded twice from the slower tier: the second time it leaves unchanged it
 * goes to the first one, if that has room. */
static void a_wanted_page_goes_to_the_first_tier(void **state)
{
	struct fake *first = fake_new(0), *second = fake_new(64);
	struct swap *s = swap_over(&first->base, &second->base, 0);
	struct set p = set_new(PAGES);

	(void)state;
	swap_store(s, p.io, PAGES);
	assert_int_equal(second->held, PAGES);
	first->room = 64;
	load_and_leave(s, &p);
	assert_int_equal(counts_of(s).promoted, 0);
	first->room = 1; /* nearly full: refused by us, not by the tier */
	first->held = 1;
	load_and_leave(s, &p);
	assert_int_equal(counts_of(s).promoted, 0);
	first->room = 64;
	first->held = 0;
	first->stores = 0;
	first->fail_store = 4;
	load_and_leave(s, &p);
	assert_int_equal(counts_of(s).promoted, PAGES - 1);
	assert_int_equal(first->held, PAGES - 1);
	assert_int_equal(second->held, 1);
	load_and_leave(s, &p);
	assert_int_equal(counts_of(s).promoted, PAGES);
	finish(s, &p, 0xffff);
}

struct leaver {
	struct swap *swap;
	slot_t slot;
	unsigned moved;
};

static void release(void *ctx)
{
	const struct leaver *l = ctx;

	swap_release(l->swap, l->slot);
}

/* Its page was discarded: neither place keeps anything. */
static void a_page_may_be_released_while_it_is_promoted(void **state)
{
	struct fake *first = fake_new(0), *second = fake_new(64);
	struct swap *s = swap_over(&first->base, &second->base, 0);
	struct set p = set_new(1);
	struct leaver l = { .swap = s };

	(void)state;
	swap_store(s, p.io, 1);
	l.slot = p.io[0].slot;
	set_load(s, &p);
	set_load(s, &p);
	first->room = 64;
	first->on_store = release;
	first->ctx = &l;
	assert_true(swap_same(s, l.slot, p.io[0].gfn, p.out));
	assert_null(first->on_store);
	assert_int_equal(counts_of(s).promoted, 0);
	assert_false(swap_same(s, l.slot, p.io[0].gfn, p.out));
	finish(s, &p, 0);
}

static void release_and_move(void *ctx)
{
	struct leaver *l = ctx;

	swap_release(l->swap, l->slot);
	l->moved = swap_demote(l->swap);
}

/* Its owner has left while somebody looks at a page: what is looked at stays
 * where it is. */
static void what_is_looked_at_does_not_move(void **state)
{
	struct fake *first = fake_new(TIER_BATCH + 2), *second = fake_new(64);
	struct swap *s = swap_over(&first->base, &second->base, 0);
	struct set p = set_new(TIER_BATCH);
	struct leaver l = { .swap = s };
	struct swap_description d;

	(void)state;
	swap_store(s, p.io, TIER_BATCH);
	l.slot = p.io[5].slot;
	first->on_load = release_and_move;
	first->ctx = &l;
	swap_describe(s, l.slot, p.io[5].gfn, &d);
	assert_int_equal(d.error, 0);
	assert_int_equal(l.moved, TIER_BATCH - 1);
	assert_int_equal(first->held, 0);
	assert_int_equal(second->held, TIER_BATCH - 1);
	finish(s, &p, UINT64_MAX & ~(UINT64_C(1) << 5));
}

/* Threads use pages of their own, others look at them, while copies move all
 * the time. Errors are counted: cmocka belongs to the main thread. */
struct worker {
	struct swap *swap;
	_Atomic bool *stop;
	uint64_t gfn;
	unsigned failed;
};

static void work_round(struct worker *w, struct set *p)
{
	for (unsigned i = 0; i < TIER_BATCH; i++) {
		page_text(p->out + i * PAGE_SIZE, w->gfn);
		p->io[i].page = p->out + i * PAGE_SIZE;
		p->io[i].gfn.v = w->gfn++;
	}
	swap_store(w->swap, p->io, TIER_BATCH);
	for (unsigned round = 0; round < 3; round++) {
		memset(p->in, 0, TIER_BATCH * PAGE_SIZE);
		for (unsigned i = 0; i < TIER_BATCH; i++)
			p->io[i].page = p->in + i * PAGE_SIZE;
		swap_load(w->swap, p->io, TIER_BATCH);
		w->failed += ended(p, 0) != TIER_BATCH ||
			     memcmp(p->in, p->out, TIER_BATCH * PAGE_SIZE);
		for (unsigned i = 0; i < TIER_BATCH; i++)
			w->failed += !swap_same(w->swap, p->io[i].slot,
						p->io[i].gfn, p->io[i].page);
	}
	for (unsigned i = 0; i < TIER_BATCH; i++)
		swap_release(w->swap, p->io[i].slot);
}

/* Until something moved, which on few CPUs takes its time. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct set p = set_new(TIER_BATCH);

	for (unsigned round = 0; round < 20000; round++) {
		work_round(w, &p);
		if (round >= 50 && counts_of(w->swap).demoted > TIER_BATCH)
			break;
	}
	set_free(&p);
	return NULL;
}

static void *watch(void *arg)
{
	struct worker *w = arg;
	struct swap_description d;

	while (!*w->stop)
		for (uint32_t i = 0; i < 256; i++)
			swap_describe(w->swap, swap_slot_of(w->swap, i),
				      (gfn_t){ i }, &d);
	return NULL;
}

static void *move(void *arg)
{
	struct worker *w = arg;

	while (!*w->stop)
		swap_demote(w->swap);
	return NULL;
}

static void moves_disturb_nobody(void **state)
{
	void *(*const role[])(void *) = { move, watch, work, work, work };
	struct set none = { .n = 0 };
	_Atomic bool stop = false;
	struct tier *ram, *file;
	struct worker w[5];
	pthread_t thread[5];
	struct swap *s;

	(void)state;
	assert_int_equal(tier_ram_create(&ram, 256 << 10, CODEC_LZ4), 0);
	assert_int_equal(tier_file_create(&file, "/dev/shm", 1 << 20), 0);
	s = swap_over(ram, file, 0);
	for (unsigned i = 0; i < 5; i++) {
		w[i] = (struct worker){ s, &stop, i * 10000, 0 };
		assert_int_equal(
			pthread_create(&thread[i], NULL, role[i], &w[i]), 0);
	}
	for (unsigned i = 5; i-- > 0;) {
		stop = i < 2;
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].failed, 0);
	}
	assert_true(counts_of(s).demoted > TIER_BATCH);
	finish(s, &none, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_nearly_full_tier_hands_on),
		cmocka_unit_test(a_few_pages_move_too),
		cmocka_unit_test(where_there_is_no_room_nothing_moves),
		cmocka_unit_test(any_move_may_fail),
		cmocka_unit_test(a_page_may_be_released_while_it_moves),
		cmocka_unit_test(a_page_may_be_loaded_while_it_moves),
		cmocka_unit_test(a_wanted_page_goes_to_the_first_tier),
		cmocka_unit_test(a_page_may_be_released_while_it_is_promoted),
		cmocka_unit_test(what_is_looked_at_does_not_move),
		cmocka_unit_test(moves_disturb_nobody),
	};

	return cmocka_run_group_tests_name("swap moves", tests, NULL, NULL);
}
