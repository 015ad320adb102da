/* SPDX-License-Identifier: MIT */
/* The pool: waste, limit, give-back, and that no two blobs overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "ept/pool.h"
#include "tests/unit/ept_pages.h"

static struct pool *pool_of_slabs(unsigned slabs)
{
	struct pool *p;

	assert_int_equal(pool_create(&p, slabs * POOL_SLAB), 0);
	return p;
}

static void check_stats(struct pool *p, uint64_t blobs, uint64_t slabs)
{
	struct pool_stats st;

	pool_stats(p, &st);
	assert_int_equal(st.blobs, blobs);
	assert_int_equal(st.slab_bytes, slabs * POOL_SLAB);
	assert_in_range(st.bytes, blobs ? 1 : 0, slabs * POOL_SLAB);
}

/* Two neighbours of every size tell what a blob takes: as if it wasted a
 * sixteenth, and its share of what then would be left in the slab. */
static void blobs_waste_at_most_a_sixteenth(void **state)
{
	struct pool *p = pool_of_slabs(1);

	(void)state;
	for (unsigned size = 1; size <= POOL_BLOB_MAX; size++) {
		unsigned slack = size <= 256 ? 15 : size / 16;
		uint64_t a, b;
		ptrdiff_t takes;

		assert_int_equal(pool_alloc(p, size, &a), 0);
		assert_int_equal(pool_alloc(p, size, &b), 0);
		assert_int_equal(pool_size(a), size);
		takes = (char *)pool_at(p, b) - (char *)pool_at(p, a);
		assert_in_range(takes, size,
				POOL_SLAB / (POOL_SLAB / (size + slack)));
		assert_int_equal(takes % 16, 0);
		pool_free(p, a);
		pool_free(p, b);
	}
	check_stats(p, 0, 0);
	pool_destroy(p);
}

static void the_limit_is_exact(void **state)
{
	struct pool *p = pool_of_slabs(2);
	uint64_t blob[32], more;

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(pool_alloc(p, 4096, &blob[i]), 0);
	check_stats(p, 32, 2);
	assert_int_equal(pool_alloc(p, 4096, &more), -ENOSPC);
	assert_int_equal(pool_alloc(p, 1, &more), -ENOSPC);
	check_stats(p, 32, 2);
	pool_free(p, blob[7]);
	assert_int_equal(pool_alloc(p, 4096, &blob[7]), 0);
	assert_int_equal(pool_alloc(p, 4096, &more), -ENOSPC);
	for (unsigned i = 0; i < 32; i++)
		pool_free(p, blob[i]);
	check_stats(p, 0, 0);
	pool_destroy(p);
}

static void less_than_a_slab_is_refused(void **state)
{
	struct pool *p = NULL;

	(void)state;
	assert_int_equal(pool_create(&p, POOL_SLAB - 1), -EINVAL);
	assert_null(p);
}

/* A full pool: small blobs go where larger ones leave room. */
static void a_full_pool_lends_larger_room(void **state)
{
	struct pool *p = pool_of_slabs(1);
	uint64_t big, small;

	(void)state;
	assert_int_equal(pool_alloc(p, 3000, &big), 0);
	assert_int_equal(pool_alloc(p, 10, &small), 0);
	assert_int_equal(pool_size(small), 10);
	check_stats(p, 2, 1);
	pool_free(p, big);
	pool_free(p, small);
	check_stats(p, 0, 0);
	pool_destroy(p);
}

static unsigned pages_in_memory(void *slab)
{
	unsigned char in[16];
	unsigned n = 0;

	assert_int_equal(mincore(slab, POOL_SLAB, in), 0);
	for (unsigned i = 0; i < 16; i++)
		n += in[i] & 1;
	return n;
}

static long faults(void)
{
	struct rusage r;

	assert_int_equal(getrusage(RUSAGE_THREAD, &r), 0);
	return r.ru_minflt;
}

/* What the host may take it takes at once when it is asked to page out; the
 * rest stays, or has to be written first. */
static void expect_given_back(void *slab)
{
	for (unsigned i = 0; i < 100 && pages_in_memory(slab); i++)
		assert_int_equal(madvise(slab, POOL_SLAB, MADV_PAGEOUT), 0);
	assert_int_equal(pages_in_memory(slab), 0);
	for (unsigned i = 0; i < POOL_SLAB; i++)
		assert_int_equal(((volatile uint8_t *)slab)[i], 0);
}

static void an_empty_slab_goes_back_to_the_host(void **state)
{
	struct pool *p = pool_of_slabs(4);
	uint64_t blob[16];
	void *slab;

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(pool_alloc(p, 4096, &blob[i]), 0);
		memset(pool_at(p, blob[i]), 1, 4096);
	}
	slab = pool_at(p, blob[0]);
	assert_int_equal(pages_in_memory(slab), 16);
	for (unsigned i = 0; i < 15; i++)
		pool_free(p, blob[i]);
	check_stats(p, 1, 1);
	assert_int_equal(pages_in_memory(slab), 16);
	pool_free(p, blob[15]);
	check_stats(p, 0, 0);
	expect_given_back(slab);
	pool_destroy(p);
}

/* A pool that is filled and emptied again and again. */
static void an_empty_slab_costs_no_fault_again(void **state)
{
	struct pool *p = pool_of_slabs(4);
	uint64_t blob[64];
	long before = 0;

	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 64; i++) {
			assert_int_equal(pool_alloc(p, 4096, &blob[i]), 0);
			memset(pool_at(p, blob[i]), 1, 4096);
		}
		for (unsigned i = 0; i < 64; i++)
			pool_free(p, blob[i]);
		check_stats(p, 0, 0);
		if (round == 0)
			before = faults();
	}
	assert_in_range(faults() - before, 0, 9); /* the page of each: 576 */
	pool_destroy(p);
}

/* What the pool says that it takes is what it has of the host. */
static void bytes_are_those_in_memory(void **state)
{
	const unsigned slabs = 64;
	struct pool *p = pool_of_slabs(slabs);
	uint64_t blob[300], seed = 1;
	struct pool_stats st;
	unsigned pages = 0;
	uint8_t *region;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		unsigned size = 1 + random_next(&seed) % 4096;

		assert_int_equal(pool_alloc(p, size, &blob[i]), 0);
		memset(pool_at(p, blob[i]), 1, size);
	}
	region = (uint8_t *)pool_at(p, blob[0]); /* the first slab's first */
	for (unsigned i = 0; i < slabs; i++)
		pages += pages_in_memory(region + i * POOL_SLAB);
	pool_stats(p, &st);
	assert_int_equal(st.bytes, pages * PAGE_SIZE);
	for (unsigned i = 0; i < 300; i++)
		pool_free(p, blob[i]);
	check_stats(p, 0, 0);
	pool_stats(p, &st);
	assert_int_equal(st.bytes, 0);
	pool_destroy(p);
}

/* A slab that came back serves another size. */
static void a_returned_slab_is_used_again(void **state)
{
	struct pool *p = pool_of_slabs(1);

	(void)state;
	for (unsigned size = 1; size <= 4096; size += 65) {
		uint64_t blob;

		assert_int_equal(pool_alloc(p, size, &blob), 0);
		memset(pool_at(p, blob), 0xff, size);
		check_stats(p, 1, 1);
		pool_free(p, blob);
		check_stats(p, 0, 0);
	}
	pool_destroy(p);
}

/* Random traffic over @held blobs; each is filled with its own byte and must
 * still be when it goes. */
#define HELD 400

struct traffic {
	struct pool *pool;
	uint64_t seed;
	unsigned full; /* -ENOSPC seen */
	unsigned damaged;
	uint64_t blob[HELD];
	bool in_use[HELD];
};

static void put(struct traffic *t, unsigned i)
{
	const uint8_t *at = pool_at(t->pool, t->blob[i]);

	for (unsigned b = 0; b < pool_size(t->blob[i]); b++)
		t->damaged += at[b] != (uint8_t)(i ^ t->seed >> 56);
	pool_free(t->pool, t->blob[i]);
	t->in_use[i] = false;
}

static void *run_traffic(void *arg)
{
	struct traffic *t = arg;
	uint64_t seed = t->seed;

	for (unsigned step = 0; step < 40000; step++) {
		uint64_t r = random_next(&seed);
		unsigned i = (unsigned)(r % HELD);
		unsigned size = 1 + (unsigned)(r >> 32) % POOL_BLOB_MAX;

		if (t->in_use[i]) {
			put(t, i);
		} else if (pool_alloc(t->pool, size, &t->blob[i])) {
			t->full++;
		} else {
			t->in_use[i] = true;
			memset(pool_at(t->pool, t->blob[i]),
			       (uint8_t)(i ^ t->seed >> 56), size);
		}
	}
	for (unsigned i = 0; i < HELD; i++)
		if (t->in_use[i])
			put(t, i);
	return NULL;
}

static void random_blobs_keep_their_bytes(void **state)
{
	struct traffic t = { .pool = pool_of_slabs(100), .seed = 4711 };

	(void)state;
	print_message("seed %lu\n", t.seed);
	run_traffic(&t);
	assert_int_equal(t.damaged, 0);
	assert_int_equal(t.full, 0);
	check_stats(t.pool, 0, 0);
	pool_destroy(t.pool);
}

/* Too small a pool: it is full now and then, and nothing else. */
static void a_small_pool_only_says_no(void **state)
{
	struct traffic t = { .pool = pool_of_slabs(5), .seed = 4712 };

	(void)state;
	print_message("seed %lu\n", t.seed);
	run_traffic(&t);
	assert_int_equal(t.damaged, 0);
	assert_int_not_equal(t.full, 0);
	check_stats(t.pool, 0, 0);
	pool_destroy(t.pool);
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct pool *p = pool_of_slabs(60);
	static struct traffic t[4];
	pthread_t thread[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		t[i] = (struct traffic){ .pool = p,
					 .seed = (uint64_t)i << 62 | 4713 };
		assert_int_equal(
			pthread_create(&thread[i], NULL, run_traffic, &t[i]),
			0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(t[i].damaged, 0);
	}
	check_stats(p, 0, 0);
	pool_destroy(p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_waste_at_most_a_sixteenth),
		cmocka_unit_test(the_limit_is_exact),
		cmocka_unit_test(less_than_a_slab_is_refused),
		cmocka_unit_test(a_full_pool_lends_larger_room),
		cmocka_unit_test(an_empty_slab_goes_back_to_the_host),
		cmocka_unit_test(an_empty_slab_costs_no_fault_again),
		cmocka_unit_test(bytes_are_those_in_memory),
		cmocka_unit_test(a_returned_slab_is_used_again),
		cmocka_unit_test(random_blobs_keep_their_bytes),
		cmocka_unit_test(a_small_pool_only_says_no),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
