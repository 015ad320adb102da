/* SPDX-License-Identifier: MIT */
/* The NBD tier and a helper that does its work, fails, dies or talks nonsense.
 * What the helper does with NBD is tests/guest/nbd.t's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <cmocka.h>

#include "ept/tier.h"

#define fake_recv recv
#define fake_send send
#include "tests/unit/nbd_fixture.h"

#define N 16

static struct tier *tier_new(uint64_t pages)
{
	struct nbd_link link = fake_nbd_start();
	struct tier *t;

	assert_int_equal(tier_nbd_create(&t, &link, pages * PAGE_SIZE), 0);
	return t;
}

/* N pages of which each is another, and where they come back. */
struct pages {
	uint8_t *out, *in;
	struct tier_io io[N];
};

static struct pages pages_make(void)
{
	struct pages p = { pages_new(N), pages_new(N), { { 0 } } };

	for (unsigned i = 0; i < N; i++)
		page_random(p.out + i * PAGE_SIZE, i);
	return p;
}

static unsigned ended(const struct pages *p, int error)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++)
		n += p->io[i].error == error;
	return n;
}

static void store(struct tier *t, struct pages *p)
{
	for (unsigned i = 0; i < N; i++)
		p->io[i] = (struct tier_io){ .page = p->out + i * PAGE_SIZE,
					     .error = 1 };
	t->ops->store(t, p->io, N, true);
}

static void load(struct tier *t, struct pages *p)
{
	memset(p->in, 0, N * PAGE_SIZE);
	for (unsigned i = 0; i < N; i++)
		p->io[i].page = p->in + i * PAGE_SIZE;
	t->ops->load(t, p->io, N);
}

static struct tier_stats stats_of(struct tier *t)
{
	struct tier_stats st;

	t->ops->stats(t, &st);
	return st;
}

static void end(struct tier *t, struct pages *p)
{
	t->ops->destroy(t);
	free(p->out);
	free(p->in);
}

static void pages_come_back(void **state)
{
	struct tier *t = tier_new(N + 2);
	struct pages p = pages_make();

	(void)state;
	store(t, &p);
	assert_int_equal(ended(&p, 0), N);
	load(t, &p);
	assert_int_equal(ended(&p, 0), N);
	assert_memory_equal(p.in, p.out, N * PAGE_SIZE);
	assert_int_equal(fake_nbd.requests, 2 * N);
	assert_int_equal(stats_of(t).pages, N);
	assert_int_equal(t->ops->bytes(t, p.io[0].where), PAGE_SIZE);
	end(t, &p);
}

static void the_room_is_exact(void **state)
{
	struct tier *t = tier_new(N - 3);
	struct pages p = pages_make();

	(void)state;
	store(t, &p);
	assert_int_equal(ended(&p, 0), N - 3);
	assert_int_equal(ended(&p, -ENOSPC), 3);
	t->ops->release(t, p.io[4].where);
	store(t, &p);
	assert_int_equal(ended(&p, 0), 1);
	assert_int_equal(stats_of(t).room_bytes, 0);
	end(t, &p);
}

/* Answers the last of a batch, or all of it, with an error; once or always. */
static struct nbd_reply refusal;
static bool for_good, all;

static ssize_t refuse(struct fake_nbd *f, unsigned lane,
		      const struct nbd_request *q, size_t n)
{
	struct nbd_reply reply[NBD_BUFFERS];

	for (size_t i = 0; i < n; i++) {
		reply[i] =
			all || i + 1 == n ? refusal : (struct nbd_reply){ 0 };
		reply[i].buffer = q[i].buffer;
	}
	if (!for_good)
		f->mischief = NULL;
	return send(f->lane[lane], reply, n * sizeof(*reply), 0);
}

/* How a batch of N goes, how many requests that takes, and places it costs. */
static void expect_refused(struct nbd_reply with, int error, unsigned requests,
			   unsigned quarantined)
{
	struct tier *t = tier_new(3 * N);
	struct pages p = pages_make();
	unsigned refused = all ? N : 1;

	refusal = with;
	fake_nbd.mischief = refuse;
	store(t, &p);
	assert_int_equal(ended(&p, error), error ? refused : N);
	assert_int_equal(fake_nbd.requests, requests);
	assert_int_equal(stats_of(t).quarantined, quarantined);
	assert_int_equal(stats_of(t).pages, error ? N - refused : N);
	fake_nbd.mischief = NULL;
	store(t, &p);
	assert_int_equal(ended(&p, 0), N);
	end(t, &p);
}

static const struct nbd_reply eio = { 0, -EIO, 0 }, full = { 0, -ENOSPC, 0 },
			      late = { 0, -ETIMEDOUT, 0 },
			      away = { 0, -ETIMEDOUT, 1 },
			      read_only = { 0, -EROFS, 1 };

/* A server's error has one more chance; being away has none. */
static void errors_are_tried_again_or_not(void **state)
{
	(void)state;
	for_good = false;
	all = true;
	expect_refused(eio, 0, 2 * N, 0);
	all = false;
	expect_refused(eio, 0, N + 1, 0);
	expect_refused(late, -ETIMEDOUT, N, 1);
}

/* A place is lost where it alone failed, or where a write may still arrive. */
static void bad_places_are_quarantined(void **state)
{
	(void)state;
	for_good = true;
	all = false;
	expect_refused(eio, -EIO, N + 1, 1);
	expect_refused(full, -ENOSPC, N + 1, 0);
	expect_refused(away, -ETIMEDOUT, N, 0);
	all = true;
	expect_refused(eio, -EIO, 2 * N, N);
	expect_refused(full, -ENOSPC, 2 * N, 0);
	expect_refused(late, -ETIMEDOUT, N, N);
	expect_refused(away, -ETIMEDOUT, N, 0);
	expect_refused(read_only, -EROFS, N, 0);
}

enum nonsense {
	ANOTHER_BUFFER,
	NO_SUCH_BUFFER,
	TWICE,
	POSITIVE,
	ODD_SIZE,
	EMPTY,
	KINDS
};

static enum nonsense nonsense;

static ssize_t talk_nonsense(struct fake_nbd *f, unsigned lane,
			     const struct nbd_request *q, size_t n)
{
	struct nbd_reply reply[2] = { { q[0].buffer, 0, 0 },
				      { q[0].buffer, 0, 0 } };
	size_t size = nonsense == TWICE ? 2 * sizeof(*reply) : sizeof(*reply);

	(void)n;
	f->mischief = NULL;
	if (nonsense == ANOTHER_BUFFER)
		reply[0].buffer = N; /* not asked for */
	if (nonsense == NO_SUCH_BUFFER)
		reply[0].buffer = UINT32_MAX;
	if (nonsense == POSITIVE)
		reply[0].error = 5;
	if (nonsense == ODD_SIZE)
		size--;
	if (nonsense == EMPTY)
		size = 0;
	send(f->lane[lane], reply, size, 0);
	return 1;
}

/* That lane is given up, what was on it failed; the other lanes work. */
static void nonsense_costs_a_lane(void **state)
{
	(void)state;
	for (nonsense = 0; nonsense < KINDS; nonsense++) {
		struct tier *t = tier_new(3 * N);
		struct pages p = pages_make();

		fake_nbd.mischief = talk_nonsense;
		store(t, &p);
		assert_true(ended(&p, -EIO) >= N - 1);
		store(t, &p);
		assert_int_equal(ended(&p, 0), N);
		load(t, &p);
		assert_memory_equal(p.in, p.out, N * PAGE_SIZE);
		end(t, &p);
	}
}

static ssize_t die(struct fake_nbd *f, unsigned lane,
		   const struct nbd_request *q, size_t n)
{
	(void)f;
	(void)lane;
	(void)q;
	(void)n;
	return 0;
}

static void a_dead_helper_is_an_error(void **state)
{
	struct tier *t = tier_new(3 * N);
	struct pages p = pages_make();

	(void)state;
	store(t, &p);
	fake_nbd.mischief = die;
	for (unsigned i = 0; i < 2 * NBD_LANES; i++) {
		load(t, &p);
		assert_int_equal(ended(&p, -EIO), N);
	}
	end(t, &p);
}

/* The batch that it took may still be written; those that nobody could be asked
 * for cost no place. */
static void a_dead_helper_costs_one_batch(void **state)
{
	struct tier *t = tier_new((NBD_LANES + 3) * N);
	struct pages p = pages_make();

	(void)state;
	fake_nbd.mischief = die;
	for (unsigned i = 0; i < NBD_LANES + 3; i++) {
		store(t, &p);
		assert_int_equal(ended(&p, -EIO), N);
		/* Until it is quite dead a lane takes what nobody reads. */
		while (fcntl(fake_nbd.lane[NBD_LANES - 1], F_GETFD) >= 0)
			usleep(1000);
	}
	assert_int_equal(stats_of(t).quarantined, N);
	assert_int_equal(stats_of(t).pages, 0);
	end(t, &p);
}

/* More threads than lanes. Errors are counted: cmocka belongs to the main
 * thread. */
struct worker {
	struct tier *tier;
	unsigned wrong;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct pages p = pages_make();

	for (unsigned round = 0; round < 50; round++) {
		p.out[round]++;
		store(w->tier, &p);
		w->wrong += ended(&p, 0) != N;
		load(w->tier, &p);
		w->wrong += memcmp(p.in, p.out, N * PAGE_SIZE) != 0;
		for (unsigned i = 0; i < N; i++)
			w->tier->ops->release(w->tier, p.io[i].where);
	}
	free(p.out);
	free(p.in);
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct tier *t = tier_new(EXPORT_PAGES);
	pthread_t thread[NBD_LANES + 2];
	struct worker w[NBD_LANES + 2];

	(void)state;
	for (unsigned i = 0; i < NBD_LANES + 2; i++) {
		w[i] = (struct worker){ t, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]),
				 0);
	}
	for (unsigned i = 0; i < NBD_LANES + 2; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].wrong, 0);
	}
	assert_int_equal(stats_of(t).pages, 0);
	t->ops->destroy(t);
}

static void too_small_a_tier_is_refused(void **state)
{
	struct nbd_link link = fake_nbd_start();
	struct tier *t;

	(void)state;
	assert_int_equal(tier_nbd_create(&t, &link, PAGE_SIZE - 1), -EINVAL);
	link.close(&link);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_come_back),
		cmocka_unit_test(the_room_is_exact),
		cmocka_unit_test(errors_are_tried_again_or_not),
		cmocka_unit_test(bad_places_are_quarantined),
		cmocka_unit_test(nonsense_costs_a_lane),
		cmocka_unit_test(a_dead_helper_is_an_error),
		cmocka_unit_test(a_dead_helper_costs_one_batch),
		cmocka_unit_test(threads_do_not_disturb_each_other),
		cmocka_unit_test(too_small_a_tier_is_refused),
	};

	return cmocka_run_group_tests_name("nbd tier", tests, NULL, NULL);
}
