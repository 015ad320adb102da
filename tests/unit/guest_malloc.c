/* SPDX-License-Identifier: MIT */
/* The programs' malloc on a heap and an mmap of the host: no two objects
 * overlap, each keeps its bytes, and what is freed is used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/user/lib/sys.h"

#define HEAP   (8u << 20)
#define HELD   200u
#define ROUNDS 40000u
#define LARGE  (64u << 10) /* with its header more than a chunk */

static _Alignas(4096) uint8_t heap[HEAP];
static size_t brk_at, mapped, areas;
static bool no_memory;

int64_t sys_sbrk(size_t bytes)
{
	int64_t at = (int64_t)(uintptr_t)(heap + brk_at);

	if (no_memory || bytes > HEAP - brk_at)
		return -12;
	brk_at += bytes;
	return at;
}

int64_t sys_mmap(uint64_t at, size_t bytes, unsigned prot, unsigned flags)
{
	uint8_t *area;

	assert_int_equal(at, 0);
	assert_int_equal(bytes % 4096, 0);
	assert_int_equal(prot, PROT_READ | PROT_WRITE);
	assert_int_equal(flags, 0);
	area = no_memory || bytes > HEAP ? NULL : aligned_alloc(4096, bytes);
	if (!area)
		return -12;
	memset(area, 0, bytes);
	mapped += bytes;
	areas++;
	return (int64_t)(uintptr_t)area;
}

int64_t sys_munmap(uint64_t at, size_t bytes)
{
	assert_int_equal(at % 4096, 0);
	mapped -= bytes;
	areas--;
	free((void *)(uintptr_t)at);
	return 0;
}

/* From here on they are the programs'. */
#define malloc	guest_malloc
#define free	guest_free
#define calloc	guest_calloc
#define realloc guest_realloc
#include "guest/user/lib/malloc.c"

/* One of those that are held: all its bytes are @fill. */
static struct held {
	uint8_t *at, fill;
	size_t bytes;
} held[HELD];

static uint64_t seed = 3;

static size_t random_below(size_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % n;
}

/* Of every order of magnitude, now and then more than a chunk holds. */
static size_t random_size(void)
{
	return 1 + random_below((size_t)1 << (1 + random_below(18)));
}

static void assert_filled(const uint8_t *at, uint8_t fill, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (at[i] != fill)
			fail_msg("byte %zu of %zu is %u, not %u", i, bytes,
				 at[i], fill);
}

static void take(struct held *h)
{
	bool clear = random_below(4) == 0;

	h->bytes = random_size();
	h->fill = (uint8_t)random_below(256);
	h->at = clear ? calloc(h->bytes, 1) : malloc(h->bytes);
	assert_non_null(h->at);
	assert_int_equal((uintptr_t)h->at % 16, 0);
	if (clear)
		assert_filled(h->at, 0, h->bytes);
	memset(h->at, h->fill, h->bytes);
}

static void resize(struct held *h)
{
	size_t bytes = random_size(), kept = bytes;

	if (h->bytes < kept)
		kept = h->bytes;
	h->at = realloc(h->at, bytes);
	assert_non_null(h->at);
	assert_filled(h->at, h->fill, kept);
	h->bytes = bytes;
	memset(h->at, h->fill, bytes);
}

static void step(void)
{
	struct held *h = &held[random_below(HELD)];

	if (!h->at) {
		take(h);
		return;
	}
	assert_filled(h->at, h->fill, h->bytes);
	if (random_below(3) == 0) {
		resize(h);
		return;
	}
	free(h->at);
	h->at = NULL;
}

static void objects_keep_their_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++)
		step();
	assert_true(areas > 0);
	for (struct held *h = held; h < held + HELD; h++) {
		assert_filled(h->at, h->fill, h->at ? h->bytes : 0);
		free(h->at);
	}
	assert_int_equal(areas, 0);
	assert_int_equal(mapped, 0);
}

/* What was freed is what the next one gets; of a size that has none, a page of
 * them is made at once. */
static void what_is_freed_is_used_again(void **state)
{
	void *a = malloc(100), *b;
	size_t was;

	(void)state;
	free(a);
	assert_ptr_equal(malloc(100), a);
	free(a);
	for (size_t bytes = 1; bytes <= LARGE - 16; bytes += bytes / 3 + 1) {
		a = malloc(bytes);
		was = brk_at;
		free(a);
		b = malloc(bytes);
		assert_ptr_equal(a, b);
		assert_int_equal(brk_at, was);
		free(b);
	}
	assert_int_equal(areas, 0);
	a = malloc(LARGE - 15);
	assert_int_equal(areas, 1);
	assert_int_equal(mapped, LARGE + 4096);
	free(a);
	assert_int_equal(areas, 0);
}

/* An object grows in its place as far as its chunk reaches. */
static void it_moves_only_when_it_must(void **state)
{
	uint8_t *a = malloc(20), *b;

	(void)state;
	assert_ptr_equal(realloc(a, 48), a);
	b = realloc(a, 49);
	assert_ptr_not_equal(b, a);
	assert_ptr_equal(malloc(20), a);
	free(a);
	free(b);
	a = realloc(NULL, 5);
	assert_non_null(a);
	free(a);
	free(NULL);
}

static void there_may_be_no_memory(void **state)
{
	uint8_t *a = malloc(1000), *b = malloc(LARGE);

	(void)state;
	memset(a, 7, 1000);
	memset(b, 8, LARGE);
	no_memory = true;
	assert_null(malloc(LARGE));
	assert_null(realloc(a, LARGE));
	assert_null(realloc(b, 2 * LARGE));
	while (malloc(5000))
		;
	assert_null(calloc(5000, 1));
	no_memory = false;
	assert_null(malloc(SIZE_MAX));
	assert_null(malloc(PTRDIFF_MAX));
	assert_null(calloc((size_t)1 << 33, (size_t)1 << 33));
	assert_filled(a, 7, 1000);
	assert_filled(b, 8, LARGE);
	free(a);
	free(b);
	a = malloc(5000);
	assert_non_null(a);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_keep_their_bytes),
		cmocka_unit_test(what_is_freed_is_used_again),
		cmocka_unit_test(it_moves_only_when_it_must),
		cmocka_unit_test(there_may_be_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
