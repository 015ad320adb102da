/* SPDX-License-Identifier: MIT */
/*
 * Every I/O call of every kind of tier goes wrong once, in every way, and so
 * does every allocation. There is success, or a clean error with the page
 * still in its owner's hands; never other bytes, never a place that is lost
 * without being counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <cmocka.h>

#include "tests/unit/fail_fixture.h"

#define fake_recv __real_recv
#define fake_send __real_send
#include "tests/unit/ept_swap_fixture.h"
#include "tests/unit/nbd_fixture.h"

#define ROOM 48 /* places of a file or NBD tier */

enum kind { RAM, ZSTD, DISK, TMPFS, CHAIN, NBD };

static int make_nbd(struct tier **out)
{
	struct seam armed = memory_seam;
	struct nbd_link link;
	int r;

	memory_seam.nth = 0; /* the other side needs its memory */
	link = fake_nbd_start();
	memory_seam = armed;
	r = tier_nbd_create(out, &link, ROOM * PAGE_SIZE);
	if (r)
		link.close(&link);
	return r;
}

static int make_tier(struct tier **out, enum kind kind)
{
	switch (kind) {
	case RAM:
	case CHAIN:
		return tier_ram_create(out, 64 << 10, CODEC_LZ4);
	case ZSTD:
		return tier_ram_create(out, 64 << 10, CODEC_ZSTD);
	case NBD:
		return make_nbd(out);
	default:
		return tier_file_create(out,
					kind == DISK ? "/var/tmp" : "/dev/shm",
					ROOM * PAGE_SIZE);
	}
}

/* The whole of a kind, or an error and nothing. */
static int make_swap(struct swap **out, enum kind kind)
{
	struct swap_config c = { .pages = ROOM };
	int r = make_tier(&c.tier[c.tiers], kind);

	c.tiers += !r;
	if (!r && kind == CHAIN) {
		r = make_tier(&c.tier[c.tiers], TMPFS);
		c.tiers += !r;
	}
	if (!r)
		r = swap_create(out, &c);
	for (unsigned i = 0; r && i < c.tiers; i++)
		c.tier[i]->ops->destroy(c.tier[i]);
	return r;
}

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Release what is stored; then as many pages fit as there are places that are
 * not quarantined, and no more. */
static void check_places(struct swap *s, struct set *p, unsigned tier)
{
	struct tier_stats st;
	uint64_t room, stored = 0;

	swap_tier_stats(s, tier, &st);
	room = st.room_bytes >> PAGE_SHIFT;
	assert_int_equal(st.pages, 0);
	assert_int_equal(room + st.quarantined, ROOM);
	p->n = TIER_BATCH;
	for (unsigned i = 0; i < TIER_BATCH; i++) {
		page_random(p->out + i * PAGE_SIZE, i);
		p->io[i].page = p->out + i * PAGE_SIZE;
	}
	swap_store(s, p->io, TIER_BATCH);
	for (unsigned i = 0; i < TIER_BATCH; i++) {
		if (p->io[i].error)
			continue;
		if (swap_tier(s, p->io[i].slot) == tier)
			stored++;
		swap_release(s, p->io[i].slot);
	}
	assert_int_equal(stored, room);
}

/* Store and load @n pages from @first on. How many could not be stored. */
static unsigned trip(struct swap *s, struct set *p, unsigned first, unsigned n)
{
	unsigned lost = 0;

	for (unsigned i = first; i < first + n; i++)
		p->io[i].page = p->out + i * PAGE_SIZE;
	swap_store(s, p->io + first, n);
	for (unsigned i = first; i < first + n; i++) {
		assert_true(p->io[i].error <= 0);
		lost += p->io[i].error != 0;
		if (p->io[i].error)
			p->io[i].slot.v = UINT64_MAX; /* it has none */
		p->io[i].page = p->in + i * PAGE_SIZE;
	}
	swap_load(s, p->io + first, n);
	return lost;
}

/* Every page that was stored is there, with one fault or none on the way. */
static unsigned verify(struct set *p, unsigned first, unsigned n)
{
	unsigned stored = 0;

	for (unsigned i = first; i < first + n; i++) {
		if (p->io[i].slot.v == UINT64_MAX)
			continue;
		assert_int_equal(p->io[i].error, 0);
		assert_memory_equal(p->in + i * PAGE_SIZE,
				    p->out + i * PAGE_SIZE, PAGE_SIZE);
		stored++;
	}
	return stored;
}

/* A life with batches and single pages, moves between tiers, and its end. */
static void live(struct swap *s, enum kind kind)
{
	struct set p = set_new(TIER_BATCH);
	unsigned lost;

	for (unsigned i = 0; i < 8; i++)
		page_mixed(p.out + i * PAGE_SIZE, i);
	lost = trip(s, &p, 0, 8);
	lost += trip(s, &p, 8, 1);
	swap_demote(s);
	lost += trip(s, &p, 9, 3);
	assert_int_equal(verify(&p, 0, 12), 12 - lost);
	swap_load(s, p.io, 12);
	io_seam.nth = 0;
	for (unsigned i = 0; i < 12; i++)
		if (p.io[i].slot.v != UINT64_MAX)
			swap_release(s, p.io[i].slot);
	assert_int_equal(swap_slots_used(s), 0);
	if (kind == CHAIN)
		check_places(s, &p, 1);
	else if (kind != RAM && kind != ZSTD)
		check_places(s, &p, 0);
	set_free(&p);
	swap_destroy(s);
}

static unsigned run(enum kind kind, unsigned nth, enum fault fault)
{
	unsigned before = descriptors();
	struct swap *s;
	int r;

	io_seam = (struct seam){ .nth = nth, .fault = fault };
	r = make_swap(&s, kind);
	if (!r)
		live(s, kind);
	else
		assert_true(r < 0);
	io_seam.nth = 0;
	assert_int_equal(descriptors(), before);
	return io_seam.calls;
}

static void any_call_may_fail(void **state)
{
	enum kind kind = *(enum kind *)*state;
	unsigned calls = run(kind, 0, 0);

	for (enum fault fault = 0; fault < FAULTS; fault++)
		for (unsigned nth = 1; run(kind, nth, fault) >= nth; nth++)
			;
	assert_true(kind == RAM || calls > 10);
}

static void any_allocation_may_fail(void **state)
{
	enum kind kind = *(enum kind *)*state;
	unsigned before = descriptors(), failures = 0;

	for (unsigned nth = 1;; nth++) {
		struct swap *s;
		int r;

		memory_seam = (struct seam){ .nth = nth };
		r = make_swap(&s, kind);
		memory_seam.nth = 0;
		failures += r != 0;
		if (!r)
			live(s, kind);
		else
			assert_int_equal(r, -ENOMEM);
		assert_int_equal(descriptors(), before);
		if (memory_seam.calls < nth)
			break;
	}
	assert_true(failures >= 3);
}

/* @n pages are stored, and each of them fails. */
static void fail_all(struct tier *t, unsigned n, enum fault fault)
{
	uint8_t *pages = pages_new(n);
	struct tier_io io[ROOM];

	for (unsigned i = 0; i < n; i++)
		io[i].page = pages + i * PAGE_SIZE;
	io_seam = (struct seam){ .nth = 1, .after = true, .fault = fault };
	t->ops->store(t, io, n, true);
	io_seam = (struct seam){ 0 };
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(io[i].error, -fault_errno[fault]);
	free(pages);
}

/* Each place whose write failed, alone or with all others, is never used again;
 * but where there was no room. */
static void what_failed_is_quarantined(void **state)
{
	struct tier_stats st;
	struct tier *t;

	assert_int_equal(make_tier(&t, *(enum kind *)*state), 0);
	fail_all(t, 8, NO_SPACE);
	t->ops->stats(t, &st);
	assert_int_equal(st.quarantined, 0);
	fail_all(t, 8, IO_ERROR);
	fail_all(t, 1, IO_ERROR);
	t->ops->stats(t, &st);
	assert_int_equal(st.quarantined, 9);
	assert_int_equal(st.pages, 0);
	assert_int_equal(st.room_bytes, (ROOM - 9) * PAGE_SIZE);
	t->ops->destroy(t);
}

static enum kind ram = RAM, zstd = ZSTD, disk = DISK, tmpfs = TMPFS,
		 chain = CHAIN, nbd = NBD;

#define TEST(t, kind)                                   \
	{                                               \
#t " (" #kind ")", t, NULL, NULL, &kind \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_call_may_fail, ram),
		TEST(any_call_may_fail, disk),
		TEST(any_call_may_fail, tmpfs),
		TEST(any_call_may_fail, chain),
		TEST(any_call_may_fail, nbd),
		TEST(what_failed_is_quarantined, disk),
		TEST(what_failed_is_quarantined, tmpfs),
		TEST(any_allocation_may_fail, ram),
		TEST(any_allocation_may_fail, zstd),
		TEST(any_allocation_may_fail, tmpfs),
		TEST(any_allocation_may_fail, chain),
		TEST(any_allocation_may_fail, nbd),
	};

	return cmocka_run_group_tests_name("fail", tests, NULL, NULL);
}
