/* SPDX-License-Identifier: MIT */
/* The DMA engine where memory has failed, and where it is asked for more than
 * it should take: cases D60, D63 and D64 of docs/hostile.md. */
#include <signal.h>

#include "tests/unit/dma_fixture.h"

#define PAGE(at) ((at) >> PAGE_SHIFT)
#define MARK	 0x1122334455667788u

static sigjmp_buf after;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(after, 1);
}

static uint64_t word_at(uint64_t at)
{
	uint64_t word;

	take(at, &word, sizeof(word));
	return word;
}

static void put_word(uint64_t at, uint64_t word)
{
	put(at, &word, sizeof(word));
}

/* The page of A is stored, and its bytes are not what they were. */
static void damage(bool poison)
{
	begin_with((struct options){ .flip = 1, .poison = poison });
	put_word(A, MARK);
	put_word(B, MARK);
	assert_int_equal(stage2_evict(s2, (gfn_t){ PAGE(A) }), 0);
}

/* Nothing comes of it, however often; a page that is given up is as new. */
static void expect_status(enum dma_status status)
{
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(copy(A, B, 8), status);
		assert_int_equal(copy(B, A, 8), status);
	}
	assert_int_equal(word_at(B), MARK);
	assert_int_equal(copy(B, B + PAGE_SIZE, 8), DMA_DONE);
	assert_int_equal(word_at(B + PAGE_SIZE), MARK);
}

/* D63 */
static void a_damaged_page_is_an_error(void **state)
{
	(void)state;
	damage(false);
	expect_status(DMA_NO_MEMORY);
	assert_int_equal(kind(PAGE(A)), PTE_STORED);
	guest_discard(s2, (gpa_t){ A }, PAGE_SIZE, GUEST_BALLOONED);
	assert_int_equal(copy(A, B, 8), DMA_DONE);
	assert_int_equal(word_at(B), 0);
	end();
}

/* A vCPU's touch of it is what poisons it. False: this kernel cannot. */
static bool poison(void)
{
	signal(SIGBUS, on_sigbus);
	if (!sigsetjmp(after, 1))
		(void)*touchable(PAGE(A));
	return kind(PAGE(A)) == PTE_POISONED;
}

/* D63 */
static void a_poisoned_page_is_an_error(void **state)
{
	(void)state;
	damage(true);
	if (poison())
		expect_status(DMA_POISONED);
	else
		printf("SKIP (no page can be poisoned here)\n");
	end();
}

/* D64: a ring full of the largest transfers. What else wants memory has it
 * between pieces, and the engine's registers are heard. */
static void large_transfers_are_taken_in_pieces(void **state)
{
	struct dma_descriptor d = { .source = 1,
				    .target = A,
				    .bytes = (PAGES / 2 << PAGE_SHIFT) - A,
				    .operation = DMA_FILL };
	uint32_t done;

	(void)state;
	begin(0);
	for (uint32_t i = 0; i < RING_SIZE; i++) {
		d.source = i + 1;
		put(slot_at(i), &d, sizeof(d));
	}
	set(DMA_HEAD, RING_SIZE);
	while (!get(DMA_PROGRESS) && !get(DMA_TAIL))
		put_word(B + 8, 7); /* a vCPU's */
	set(DMA_CONTROL, 0);
	wait_idle();
	done = (uint32_t)get(DMA_TAIL);
	assert_int_equal(get(DMA_PROGRESS) % PAGE_SIZE, 0);
	assert_in_range(get(DMA_PROGRESS), 0, d.bytes - 1);
	/* Exactly so much is done, and no more. */
	for (uint64_t at = 0; at < d.bytes; at += PAGE_SIZE)
		assert_int_equal(word_at(A + at),
				 done + (at < get(DMA_PROGRESS)));
	set(DMA_CONTROL, DMA_RUN);
	wait_idle();
	assert_int_equal(get(DMA_TAIL), RING_SIZE);
	assert_int_equal(word_at(A), RING_SIZE);
	end();
}

/* D60: a list without end: each descriptor puts itself back where it was, and
 * there are always as many as the ring holds. It stops, and is reset, at once. */
static void a_list_without_end_can_be_stopped(void **state)
{
	struct dma_descriptor d = { .bytes = 24, .operation = DMA_COPY };

	(void)state;
	begin(0);
	for (uint32_t i = 0; i < RING_SIZE; i++) {
		d.source = A + i * sizeof(d);
		d.target = slot_at(i);
		put(slot_at(i), &d, sizeof(d));
		put(A + i * sizeof(d), &d, sizeof(d));
	}
	while (get(DMA_TAIL) < 10 * RING_SIZE)
		set(DMA_HEAD, get(DMA_TAIL) + RING_SIZE);
	set(DMA_HEAD, get(DMA_TAIL) + RING_SIZE);
	set(DMA_CONTROL, 0);
	wait_idle();
	set(DMA_HEAD, get(DMA_TAIL) + RING_SIZE);
	assert_int_equal(get(DMA_HEAD) - get(DMA_TAIL), RING_SIZE);
	set(DMA_CONTROL, DMA_RUN);
	set(DMA_CONTROL, DMA_RESET);
	wait_idle();
	assert_int_equal(get(DMA_TAIL), 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_damaged_page_is_an_error),
		cmocka_unit_test(a_poisoned_page_is_an_error),
		cmocka_unit_test(a_list_without_end_can_be_stopped),
		cmocka_unit_test(large_transfers_are_taken_in_pieces),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
