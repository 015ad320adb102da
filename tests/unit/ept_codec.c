/* SPDX-License-Identifier: MIT */
/* Codecs: whatever lies in a tier, expanding it gives one page or a no, and
 * touches nothing beyond that page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <lz4.h>
#include <string.h>
#include <sys/mman.h>
#include <zstd.h>
#include <cmocka.h>

#include "ept/codec.h"
#include "tests/unit/ept_pages.h"

/* A page with an inaccessible one behind it. */
static uint8_t *guarded_page(void)
{
	uint8_t *p = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_NONE);
	return p;
}

struct bench {
	const struct codec_ops *codec;
	void *ctx;
	uint8_t page[PAGE_SIZE], packed[2 * PAGE_SIZE];
	uint8_t *out;
	unsigned size;
};

static struct bench bench_of(const struct codec_ops *codec, uint64_t seed)
{
	struct bench b = { .codec = codec, .out = guarded_page() };

	b.ctx = codec->create();
	assert_non_null(b.ctx);
	page_text(b.page, seed);
	b.size = codec->compress(b.ctx, b.page, b.packed, 3072);
	assert_in_range(b.size, 500, 2500);
	return b;
}

static void bench_end(struct bench *b)
{
	b->codec->destroy(b->ctx);
	munmap(b->out, 2 * PAGE_SIZE);
}

static bool expand(struct bench *b, unsigned size)
{
	return b->codec->expand(b->ctx, b->packed, size, b->out);
}

static void pages_come_back(void **state)
{
	struct bench b = bench_of(*state, 1);

	for (unsigned i = 0; i < 300; i++) {
		page_mixed(b.page, i);
		b.size = b.codec->compress(b.ctx, b.page, b.packed, 3072);
		assert_int_equal(b.size == 0, i % 3 == 2);
		if (!b.size)
			continue;
		assert_true(expand(&b, b.size));
		assert_memory_equal(b.out, b.page, PAGE_SIZE);
	}
	bench_end(&b);
}

static void the_size_limit_is_kept(void **state)
{
	struct bench b = bench_of(*state, 2);

	for (unsigned max = 1; max < b.size + 100; max++) {
		uint8_t *end = b.packed + max;

		memset(end, 0x5a, 16);
		assert_in_range(b.codec->compress(b.ctx, b.page, b.packed, max),
				0, max);
		for (unsigned i = 0; i < 16; i++)
			assert_int_equal(end[i], 0x5a);
	}
	bench_end(&b);
}

static void every_truncation_is_noticed(void **state)
{
	struct bench b = bench_of(*state, 3);

	assert_true(expand(&b, b.size));
	for (unsigned size = 0; size < b.size; size++)
		assert_false(expand(&b, size));
	bench_end(&b);
}

static void trailing_bytes_are_noticed(void **state)
{
	struct bench b = bench_of(*state, 4);

	memset(b.packed + b.size, 0, 100);
	for (unsigned more = 1; more < 100; more++)
		assert_false(expand(&b, b.size + more));
	bench_end(&b);
}

/* Well-formed, but of one byte more or less than a page, or a thousand
 * pages. */
static void other_sizes_are_refused(void **state)
{
	static const unsigned sizes[] = { 1, 4095, 4097, 8192, 4096 * 1000 };
	struct bench b = bench_of(*state, 5);
	char *zeros = calloc(1, 4096 * 1000);
	static char packed[64 << 10];

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		int n = (int)sizes[i];
		size_t size;

		if (b.codec == &codec_lz4)
			size = (size_t)LZ4_compress_default(zeros, packed, n,
							    sizeof(packed));
		else
			size = ZSTD_compress(packed, sizeof(packed), zeros,
					     sizes[i], 1);
		assert_in_range(size, 1, sizeof(packed));
		assert_false(
			b.codec->expand(b.ctx, packed, (unsigned)size, b.out));
	}
	free(zeros);
	bench_end(&b);
}

/* Damage may go unnoticed here (checksums are swap's), but stays in the page:
 * the guard page behind it is the check. */
static void damage_stays_in_the_page(void **state)
{
	struct bench b = bench_of(*state, 6);
	uint64_t seed = 99;
	unsigned noticed = 0;

	print_message("seed %lu\n", seed);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t r = random_next(&seed);
		uint8_t *victim = &b.packed[r % b.size];
		uint8_t was = *victim;

		*victim ^= (uint8_t)(1 + (r >> 32) % 255);
		noticed += !expand(&b, b.size);
		*victim = was;
	}
	assert_in_range(noticed, 1000, 20000);
	assert_true(expand(&b, b.size));
	assert_memory_equal(b.out, b.page, PAGE_SIZE);
	bench_end(&b);
}

static void noise_stays_in_the_page(void **state)
{
	struct bench b = bench_of(*state, 7);

	for (unsigned i = 0; i < 5000; i++) {
		page_random(b.packed, i);
		expand(&b, 1 + i % 4096);
	}
	bench_end(&b);
}

/* Every test, once a codec. */
#define TEST(t, codec)                                            \
	{                                                         \
#t " (" #codec ")", t, NULL, NULL, (void *)&codec \
	}
#define BOTH(t) TEST(t, codec_lz4), TEST(t, codec_zstd)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(pages_come_back),
		BOTH(the_size_limit_is_kept),
		BOTH(every_truncation_is_noticed),
		BOTH(trailing_bytes_are_noticed),
		BOTH(other_sizes_are_refused),
		BOTH(damage_stays_in_the_page),
		BOTH(noise_stays_in_the_page),
	};

	return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
