/* SPDX-License-Identifier: MIT */
/* The buddy system against a flag a frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest/mm/zone.h"
#include "tests/unit/guest_fixture.h"

#define FIRST  37u /* neither end is the edge of a block */
#define END    8111u
#define FRAMES 8192u
#define HELD   200u

static struct frame descriptors[FRAMES];
struct frame *frames = descriptors;

static bool is_free[FRAMES];

static void mark(uint32_t n, unsigned order, bool free)
{
	for (uint32_t i = n; i < n + (1u << order); i++) {
		assert_int_not_equal(is_free[i], free);
		is_free[i] = free;
	}
}

static bool all_free(uint32_t n, unsigned order)
{
	for (uint32_t i = n; i < n + (1u << order); i++)
		if (i >= FRAMES || !is_free[i])
			return false;
	return true;
}

static uint64_t frames_in(const struct frame_list *b)
{
	uint64_t sum = 0;

	for (unsigned order = 0; order < ZONE_ORDERS; order++)
		sum += b[order].count << order;
	return sum;
}

/* Merged as far as it goes there is but one way to cut memory up. */
static void check_blocks(const struct frame_list *b)
{
	uint64_t want[ZONE_ORDERS] = { 0 };
	uint64_t sum = 0;

	for (uint32_t n = 0; n < FRAMES;) {
		unsigned order = ZONE_ORDERS - 1;

		if (!is_free[n]) {
			n++;
			continue;
		}
		while (n & ((1u << order) - 1) || !all_free(n, order))
			order--;
		want[order]++;
		sum += 1u << order;
		n += 1u << order;
	}
	for (unsigned order = 0; order < ZONE_ORDERS; order++)
		assert_int_equal(b[order].count, want[order]);
	assert_int_equal(frames_in(b), sum);
}

static void add_all(struct frame_list *b)
{
	memset(descriptors, 0, sizeof(descriptors));
	memset(is_free, 0, sizeof(is_free));
	for (uint32_t n = FIRST; n < END; n++) {
		buddy_add(b, n, 0);
		is_free[n] = true;
	}
	check_blocks(b);
}

static void storm(void **state)
{
	struct held {
		uint32_t n;
		unsigned order;
	} held[HELD] = { { 0, 0 } };
	struct frame_list b[ZONE_ORDERS] = { 0 }, before[ZONE_ORDERS];

	(void)state;
	add_all(b);
	memcpy(before, b, sizeof(before));
	for (unsigned i = 0; i < 20000; i++) {
		struct held *h = &held[random_below(HELD)];

		if (h->n) {
			mark(h->n, h->order, true);
			buddy_add(b, h->n, h->order);
			h->n = 0;
		} else {
			h->order = random_below(ZONE_ORDERS);
			h->n = buddy_take(b, h->order);
			assert_int_equal(h->n & ((1u << h->order) - 1), 0);
			if (h->n)
				mark(h->n, h->order, false);
		}
		if (i % 64 == 0)
			check_blocks(b);
	}
	for (unsigned i = 0; i < HELD; i++)
		if (held[i].n)
			buddy_add(b, held[i].n, held[i].order);
	for (unsigned order = 0; order < ZONE_ORDERS; order++)
		assert_int_equal(b[order].count, before[order].count);
}

/* What cannot be had is not there, and nothing is lost in looking for it. */
static void exhaustion(void **state)
{
	struct frame_list b[ZONE_ORDERS] = { 0 };
	uint64_t left;
	uint32_t n;

	(void)state;
	add_all(b);
	while ((n = buddy_take(b, 4)))
		mark(n, 4, false);
	check_blocks(b);
	left = frames_in(b);
	assert_int_equal(left, 16 - FIRST % 16 + END % 16);
	for (; (n = buddy_take(b, 0)); left--)
		mark(n, 0, false);
	assert_int_equal(left, 0);
}

/* The lower half first: a block is used from its start upwards. */
static void ascending(void **state)
{
	struct frame_list b[ZONE_ORDERS] = { 0 };

	(void)state;
	memset(descriptors, 0, sizeof(descriptors));
	buddy_add(b, 1024, 10);
	for (uint32_t n = 1024; n < 2048; n++)
		assert_int_equal(buddy_take(b, 0), n);
}

static void freed_twice(void **state)
{
	struct frame_list b[ZONE_ORDERS] = { 0 };

	(void)state;
	memset(descriptors, 0, sizeof(descriptors));
	buddy_add(b, 64, 3);
	assert_panics(buddy_add(b, 64, 0), "freed twice");
}

/* What the option broken=buddy does: nothing merges. */
static void broken_buddy(void **state)
{
	struct frame_list b[ZONE_ORDERS] = { 0 };

	(void)state;
	memset(descriptors, 0, sizeof(descriptors));
	broken_concept = "buddy";
	buddy_add(b, 64, 0);
	buddy_add(b, 65, 0);
	broken_concept = "";
	assert_int_equal(b[0].count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storm),	cmocka_unit_test(exhaustion),
		cmocka_unit_test(ascending),	cmocka_unit_test(freed_twice),
		cmocka_unit_test(broken_buddy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
