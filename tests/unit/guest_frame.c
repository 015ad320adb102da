/* SPDX-License-Identifier: MIT */
/* Zones, the stock of single frames, the limit: against a byte a frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest/mm/zone.h"
#include "tests/unit/guest_fixture.h"

#define FRAMES	   (GUEST_RAM / PAGE_SIZE)
#define DMA_FRAMES (DMA_END / PAGE_SIZE)
#define HELD	   400u

static bool held_frame[FRAMES];

struct held {
	struct frame *f;
	unsigned order;
};

static uint64_t number(const struct frame *f)
{
	return (uint64_t)(f - frames);
}

/* Nobody else has any of it, and it is memory that may be handed out. */
static void hold(struct frame *f, unsigned order)
{
	uint64_t first = number(f), end = first + (1ul << order);

	assert_int_equal(first & ((1u << order) - 1), 0);
	assert_in_range(first, 0x100, FRAMES - 1);
	assert_true(end <= KERNEL_AT >> PAGE_SHIFT ||
		    first >= KERNEL_TO >> PAGE_SHIFT);
	for (uint64_t n = first; n < end; n++) {
		assert_false(held_frame[n]);
		held_frame[n] = true;
	}
}

static void let_go(struct frame *f, unsigned order)
{
	for (uint64_t n = number(f); n < number(f) + (1ul << order); n++)
		held_frame[n] = false;
	frame_put(f);
}

static struct zone zone(unsigned i)
{
	frame_drain();
	return zones[i];
}

static uint64_t free_in(const struct zone *z)
{
	uint64_t sum = z->never_used;

	for (unsigned order = 0; order < ZONE_ORDERS; order++)
		sum += z->free[order].count << order;
	return sum;
}

/* The descriptor of the block that frame @n is part of; or its own. */
static struct frame block_of(uint64_t n)
{
	for (unsigned order = 0; order < ZONE_ORDERS; order++) {
		const struct frame *first = &frames[n >> order << order];

		if (first->order >= order &&
		    (first->use > FRAME_FREE || first->flags & FRAME_HEAD))
			return *first;
	}
	return frames[n];
}

static int setup(void **state)
{
	(void)state;
	guest_ram();
	return 0;
}

static void all_zones(void **state)
{
	struct zone dma = zone(ZONE_DMA), normal = zone(ZONE_NORMAL);
	uint64_t kernel = (KERNEL_TO - KERNEL_AT) >> PAGE_SHIFT;
	uint64_t array = FRAMES * sizeof(struct frame) / PAGE_SIZE;

	(void)state;
	assert_string_equal(dma.name, "DMA");
	assert_int_equal(dma.managed, DMA_FRAMES - 0x100 - kernel);
	assert_int_equal(normal.managed, FRAMES - DMA_FRAMES - array);
	assert_int_equal(zone_frames(), dma.managed + normal.managed);
	assert_int_equal(free_in(&dma), dma.managed);
	assert_int_equal(dma.never_used, dma.managed);
	assert_true(zone_has((pa_t){ 0x1000 }));
	assert_false(zone_has((pa_t){ 0xa0000 }));
	assert_false(zone_has((pa_t){ GUEST_RAM }));
	assert_int_equal(dma.next, 0x100000);
	assert_int_equal(block_of(KERNEL_AT >> PAGE_SHIFT).use, FRAME_NONE);
}

static void take_or_give(struct held *h)
{
	enum zone_id highest = random_below(4) ? ZONE_NORMAL : ZONE_DMA;

	if (h->f) {
		let_go(h->f, h->order);
		h->f = NULL;
		return;
	}
	h->order = random_below(3) ? 0 : random_below(ZONE_ORDERS);
	if (h->order || highest == ZONE_DMA)
		h->f = frames_alloc(h->order, highest, FRAME_KERNEL);
	else
		h->f = frame_alloc_raw(FRAME_ANON);
	if (!h->f)
		return;
	hold(h->f, h->order);
	if (highest == ZONE_DMA)
		assert_true(number(h->f) + (1u << h->order) <= DMA_FRAMES);
}

static void check_counts(void)
{
	struct zone dma = zone(ZONE_DMA), normal = zone(ZONE_NORMAL);
	uint64_t held = 0;

	for (uint64_t n = 0; n < FRAMES; n++) {
		enum frame_use use = block_of(n).use;

		held += held_frame[n];
		assert_int_equal(use == FRAME_ANON || use == FRAME_KERNEL,
				 held_frame[n]);
	}
	assert_int_equal(frames_used(), held);
	assert_int_equal(counts.frames_anon + counts.frames[FRAME_KERNEL],
			 held);
	assert_int_equal(free_in(&dma) + free_in(&normal),
			 zone_frames() - held);
}

/* All that was never used is in blocks when all was in use once. */
static void use_all(void)
{
	uint32_t all = 0, next;
	struct frame *f;

	while ((f = frame_alloc(FRAME_ANON))) {
		f->index = all;
		all = (uint32_t)number(f);
	}
	assert_int_equal(frames_used(), zone_frames());
	for (; all; all = next) {
		next = (uint32_t)frames[all].index;
		frame_put(frames + all);
	}
}

static void storm_merges_back(void **state)
{
	static struct held held[HELD];
	struct zone before[ZONES];

	(void)state;
	use_all();
	for (unsigned i = 0; i < ZONES; i++) {
		before[i] = zone(i);
		assert_int_equal(before[i].never_used, 0);
		assert_int_equal(free_in(&before[i]), before[i].managed);
	}
	assert_int_equal(before[ZONE_NORMAL].free[10].count, 11);
	for (unsigned i = 0; i < 50000; i++) {
		take_or_give(&held[random_below(HELD)]);
		if (i % 1000 == 0)
			check_counts();
	}
	for (unsigned i = 0; i < HELD; i++)
		if (held[i].f)
			let_go(held[i].f, held[i].order);
	for (unsigned i = 0; i < ZONES; i++) {
		struct zone after = zone(i);

		for (unsigned order = 0; order < ZONE_ORDERS; order++)
			assert_int_equal(before[i].free[order].count,
					 after.free[order].count);
	}
}

static void zeros(void **state)
{
	struct frame *f = frame_alloc_raw(FRAME_ANON);
	char *at = direct(frame_pa(f));

	(void)state;
	memset(at, 0x55, PAGE_SIZE);
	frame_put(f);
	assert_ptr_equal(frame_alloc(FRAME_ANON), f);
	assert_true(all_words(at, 0, PAGE_SIZE / 8));
	frame_put(f);
	assert_int_equal(f->use, FRAME_FREE);
}

static void holders(void **state)
{
	struct frame *f = frames_alloc(3, ZONE_NORMAL, FRAME_DMA);
	uint64_t used = frames_used();

	(void)state;
	frame_get(f);
	frame_put(f);
	assert_int_equal(frames_used(), used);
	assert_int_equal(block_of(number(f + 7)).use, FRAME_DMA);
	assert_int_equal(block_of(number(f + 7)).order, 3);
	frame_put(f);
	assert_int_equal(frames_used(), used - 8);
}

/* In use, a few frames in the stock: exactly so many more may be had. */
static void limit(void **state)
{
	struct frame *mine = frame_alloc(FRAME_ANON), *f[64];
	unsigned n = 0;

	(void)state;
	assert_int_equal(frame_limit(frames_used() + 50), 0);
	f[n++] = frames_alloc(3, ZONE_NORMAL, FRAME_KERNEL);
	assert_null(frames_alloc(6, ZONE_NORMAL, FRAME_KERNEL));
	while (n < 64 && (f[n] = frame_alloc(FRAME_ANON)))
		n++;
	assert_int_equal(n, 1 + 42);
	while (n--)
		frame_put(f[n]);
	f[0] = frames_alloc(5, ZONE_NORMAL,
			    FRAME_KERNEL); /* out of the stock */
	assert_non_null(f[0]);
	frame_put(f[0]);
	assert_int_equal(frame_limit(0), frames_used() + 50);
	frame_put(mine);
}

/* With "debug"; what was freed before is not poisoned. */
static void fails_loudly(void **state)
{
	struct frame *f = frame_alloc(FRAME_ANON);

	(void)state;
	debug_checks = true;
	frame_put(f);
	f->count = 1;
	assert_panics(frame_put(f), "freed twice");
	((char *)direct(frame_pa(f)))[4095] = 0;
	assert_panics(frame_alloc_raw(FRAME_ANON), "after it was freed");
	f->maps = 1; /* it had been taken by then */
	assert_panics(frame_put(f), "while 1 entries map it");
	debug_checks = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_zones),
		cmocka_unit_test(storm_merges_back),
		cmocka_unit_test(zeros),
		cmocka_unit_test(holders),
		cmocka_unit_test(limit),
		cmocka_unit_test(fails_loudly),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
