/* SPDX-License-Identifier: MIT */
/* The DMA engine's registers, its ring and its line; numbers as in dev_dma.c. */
#include "tests/unit/dma_fixture.h"

static void the_line_is_level(void **state)
{
	struct dma_descriptor d = { .target = A,
				    .bytes = 8,
				    .operation = DMA_FILL,
				    .flags = DMA_INTERRUPT };

	(void)state;
	begin(0);
	perform(d);
	perform(d);
	assert_int_equal(raised, 1); /* D66: it is up already */
	assert_int_equal(get(DMA_IRQ), 1);
	set(DMA_IRQ, 0);
	assert_int_equal(lowered, 1);
	assert_int_equal(get(DMA_IRQ), 0);
	perform(d);
	assert_int_equal(raised, 2);
	set(DMA_CONTROL, DMA_RESET);
	wait_idle();
	assert_int_equal(lowered, 2);
	end();
}

/* D59: it overwrites descriptors that follow, and the ring's own end. */
static void it_may_overwrite_its_ring(void **state)
{
	struct dma_descriptor d[3] = {
		{ .source = A, .bytes = 64, .operation = DMA_COPY },
		{ .operation = 77 },
		{ .operation = 78 },
	};
	const struct dma_descriptor then[2] = {
		{ .source = 9, .target = B, .bytes = 8, .operation = DMA_FILL },
		{ .source = 9,
		  .target = B + 8,
		  .bytes = 8,
		  .operation = DMA_FILL },
	};
	uint64_t word[2];

	(void)state;
	begin(0);
	d[0].target = slot_at(1);
	put(A, then, sizeof(then));
	put(slot_at(0), d, sizeof(d));
	set(DMA_HEAD, 3);
	wait_idle();
	take(B, word, sizeof(word));
	assert_int_equal(word[0], 9);
	assert_int_equal(word[1], 9);
	assert_int_equal(get(DMA_TAIL), 3);
	end();
}

/* D62, D67. */
static void it_stops_goes_on_and_resets(void **state)
{
	struct dma_descriptor d = { .source = 5,
				    .target = A,
				    .bytes = 64 * PAGE_SIZE,
				    .operation = DMA_FILL };
	uint64_t progress;

	(void)state;
	begin(0);
	for (unsigned i = 0; i < RING_SIZE; i++)
		put(slot_at(i), &d, sizeof(d));
	set(DMA_CONTROL, 0);
	wait_idle();
	set(DMA_HEAD, RING_SIZE);
	set(DMA_HEAD, RING_SIZE + 1 + get(DMA_TAIL)); /* more than it holds? */
	set(DMA_RING_SIZE, 32); /* not while some are to be done */
	set(DMA_RING_SIZE, 33);
	assert_int_equal(get(DMA_RING_SIZE), RING_SIZE);
	set(DMA_CONTROL, DMA_RUN);
	set(DMA_CONTROL, 0);
	wait_idle();
	progress = get(DMA_TAIL) * d.bytes + get(DMA_PROGRESS);
	assert_int_equal(progress % PAGE_SIZE, 0);
	set(DMA_CONTROL, DMA_RUN);
	wait_idle();
	assert_int_equal(get(DMA_TAIL), get(DMA_HEAD));
	set(DMA_HEAD, get(DMA_TAIL) + RING_SIZE);
	set(DMA_CONTROL, DMA_RESET);
	wait_idle();
	assert_int_equal(get(DMA_HEAD), 0);
	assert_int_equal(get(DMA_RING_SIZE), 0);
	set(DMA_CONTROL, DMA_RUN); /* without a ring it does not */
	assert_int_equal(get(DMA_CONTROL), 0);
	end();
}

/* D62: a paused VM moves nothing, and loses nothing. */
static void it_is_held_while_the_vm_is_paused(void **state)
{
	const struct dma_descriptor d = {
		.source = 5, .target = A, .bytes = 8, .operation = DMA_FILL
	};
	const struct timespec ms = { .tv_nsec = 1000000 };

	(void)state;
	begin(0);
	dma_hold(dma, true);
	put(slot_at(0), &d, sizeof(d));
	set(DMA_HEAD, 1);
	nanosleep(&ms, NULL);
	assert_int_equal(get(DMA_TAIL), 0);
	assert_int_equal(get(DMA_STATE), DMA_BUSY);
	dma_hold(dma, false);
	wait_idle();
	assert_int_equal(get(DMA_TAIL), 1);
	end();
}

/* D64: a byte a millisecond: a page takes it four seconds, but to stop nothing. */
static void it_keeps_to_a_pace(void **state)
{
	const struct dma_descriptor d = { .source = 5,
					  .target = A,
					  .bytes = 2 * PAGE_SIZE,
					  .operation = DMA_FILL };
	uint8_t byte = 0;

	(void)state;
	begin(0);
	set(DMA_PACE, 1);
	put(slot_at(0), &d, sizeof(d));
	set(DMA_HEAD, 1);
	while (byte != 5)
		take(A, &byte, 1);
	assert_int_equal(get(DMA_STATE), DMA_BUSY);
	assert_int_equal(get(DMA_PROGRESS), 0);
	set(DMA_CONTROL, 0);
	wait_idle();
	assert_int_equal(get(DMA_PROGRESS), PAGE_SIZE);
	set(DMA_PACE, 0);
	set(DMA_CONTROL, DMA_RUN);
	wait_idle();
	assert_int_equal(get(DMA_TAIL), 1);
	set(DMA_PACE, 7);
	set(DMA_CONTROL, DMA_RESET);
	wait_idle();
	assert_int_equal(get(DMA_PACE), 0);
	end();
}

static void a_bad_ring_stops_it(void **state)
{
	(void)state;
	begin(0);
	set(DMA_CONTROL, 0);
	wait_idle();
	set(DMA_RING, 31);
	assert_int_equal(get(DMA_RING), RING);
	set(DMA_RING, ABI_DMA_BASE);
	set(DMA_CONTROL, DMA_RUN);
	set(DMA_HEAD, 1);
	wait_idle();
	assert_int_equal(get(DMA_STATE), DMA_RING_ERROR);
	assert_int_equal(get(DMA_CONTROL), 0);
	assert_int_equal(get(DMA_TAIL), 0);
	assert_int_equal(raised, 1);
	set(DMA_RING, RING); /* mended */
	set(DMA_CONTROL, DMA_RUN);
	wait_idle();
	assert_int_equal(get(DMA_STATE), 0);
	assert_int_equal(get(DMA_TAIL), 1);
	end();
}

/* B1: any access has an answer. */
static void every_register_at_every_width(void **state)
{
	(void)state;
	begin(0);
	for (uint64_t at = 0; at < ABI_DMA_SIZE; at++)
		for (unsigned len = 1; len <= 8 && at + len <= ABI_DMA_SIZE;
		     len *= 2) {
			dma->ops->write(dma, at, len, 0);
			if (len < 8)
				assert_int_equal(dma->ops->read(dma, at, len),
						 0);
		}
	assert_int_equal(get(DMA_ID), ABI_DMA_ID);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_is_level),
		cmocka_unit_test(it_may_overwrite_its_ring),
		cmocka_unit_test(it_stops_goes_on_and_resets),
		cmocka_unit_test(it_is_held_while_the_vm_is_paused),
		cmocka_unit_test(it_keeps_to_a_pace),
		cmocka_unit_test(a_bad_ring_stops_it),
		cmocka_unit_test(every_register_at_every_width),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
