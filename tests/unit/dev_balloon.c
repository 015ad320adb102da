/* SPDX-License-Identifier: MIT */
/* The balloon over a stage 2 at work, case by case of docs/hostile.md, D. */
#include "tests/unit/balloon_fixture.h"

static void what_is_given_is_gone_and_reads_as_zeros(void **state)
{
	uint32_t pfn[MARKED];
	uint64_t held;

	(void)state;
	use_queue(0);
	for (unsigned i = 0; i < MARKED; i++)
		pfn[i] = FIRST + (i * 37 + 5) % MARKED; /* in no order */
	held = counters().resident;
	inflate(pfn, MARKED);
	assert_in_range(counters().resident, held - MARKED,
			held - MARKED + 2); /* the list's own page */
	assert_int_equal(report().inflated, MARKED);
	assert_int_equal(report().discarded, MARKED);
	assert_int_equal(report().skipped, 0);
	assert_int_equal(ballooned(RUNG_BALLOONED), MARKED);
	for (unsigned i = 0; i < MARKED; i++)
		assert_int_equal(kind(FIRST + i), PTE_ABSENT);
	for (unsigned i = 0; i < MARKED; i++)
		assert_int_equal(word_of(FIRST + i), 0);
}

/* D2. */
static void a_page_given_twice_is_given_once(void **state)
{
	const uint32_t pfn[] = { FIRST, FIRST + 1, FIRST, FIRST + 1, FIRST };

	(void)state;
	use_queue(0);
	inflate(pfn, 5);
	inflate(pfn, 5);
	assert_int_equal(report().discarded, 2);
	assert_int_equal(report().skipped, 0);
}

/* D1: numbers beyond RAM, of MMIO, of 2^31 and more. */
static void what_is_no_ram_is_skipped_and_counted(void **state)
{
	const uint32_t pfn[] = { FIRST,	     PAGES_2 / 2, 0xd0000,   0xfee00,
				 0x80000000, 0xfffffffe,  0xffffffff };

	(void)state;
	use_queue(0);
	inflate(pfn, 7);
	assert_int_equal(report().skipped, 5); /* the last two are a run */
	assert_int_equal(report().discarded, 1);
	assert_int_equal(word_of(FIRST), 0);
	assert_int_equal(word_of(FIRST + 1), FIRST + 1);
}

/* D7. */
static void lists_of_no_shape_do_nothing(void **state)
{
	static const uint32_t length[] = { 1,	 2,    3,
					   5,	 4098, 4 * BALLOON_PFNS_MAX + 4,
					   65536 };
	const uint32_t pfn = FIRST;

	(void)state;
	use_queue(0);
	put(BUFFERS / 2, &pfn, sizeof(pfn));
	for (unsigned i = 0; i < 7; i++)
		lend(0, BUFFERS / 2, length[i], 0);
	lend(0, BUFFERS / 2, 4, VQ_DESC_WRITE); /* it cannot be read */
	lend(0, HOLE, 4, 0);
	assert_int_equal(report().skipped, 8);
	assert_int_equal(word_of(FIRST), FIRST);
	assert_int_equal(reg(VIRTIO_STATUS) & VIRTIO_NEEDS_RESET, 0);
}

/* D4: the list itself, and the queue. The guest is left with zeros there, and
 * after a reset all is well. */
static void its_own_pages_are_its_own_affair(void **state)
{
	const uint32_t list = (BUFFERS / 2) >> PAGE_SHIFT;
	const uint32_t queue[] = { DESC >> PAGE_SHIFT, DRIVER >> PAGE_SHIFT };

	(void)state;
	use_queue(0);
	inflate(&list, 1);
	assert_int_equal(word_of(list), 0);
	inflate(queue, 2);
	assert_int_equal(word_of(queue[1]), 0);
	use_queue(0);
	inflate((const uint32_t[]){ FIRST }, 1);
	assert_int_equal(word_of(FIRST), 0);
}

/* D4: what a device uses is not taken from under it. */
static void a_pinned_page_stays(void **state)
{
	const uint32_t pfn[] = { FIRST, FIRST + 1 };
	void *at;

	(void)state;
	use_queue(0);
	assert_int_equal(
		guest_pin(ram, (gpa_t){ FIRST << PAGE_SHIFT }, true, &at), 0);
	inflate(pfn, 2);
	guest_unpin(ram, (gpa_t){ FIRST << PAGE_SHIFT });
	assert_int_equal(report().discarded, 1);
	assert_int_equal(word_of(FIRST), FIRST);
	assert_int_equal(word_of(FIRST + 1), 0);
}

/* D5. */
static void a_deflate_needs_no_inflate(void **state)
{
	(void)state;
	use_queue(1);
	lend(1, BUFFERS, 4 * 100, 0);
	assert_int_equal(report().deflated, 100);
	assert_int_equal(word_of(FIRST), FIRST);
}

/* By the specification's number of the queue, and by Linux's. */
static void free_pages_are_reported_as_buffers(void **state)
{
	(void)state;
	for (unsigned n = 3; n <= BALLOON_REPORTING; n++) {
		uint64_t page = FIRST + n * 8;

		drive(n, BALLOON_F_REPORTING);
		lend(n, page << PAGE_SHIFT, 4 * PAGE_SIZE, VQ_DESC_WRITE);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(word_of(page + i), 0);
		assert_int_equal(word_of(page + 4), page + 4);
	}
	assert_int_equal(report().reported, 8);
	assert_int_equal(ballooned(RUNG_REPORTED_FREE), 8);
	/* What lies in a page in part, or in a hole. */
	lend(BALLOON_REPORTING, (FIRST << PAGE_SHIFT) + 1, PAGE_SIZE,
	     VQ_DESC_WRITE);
	lend(BALLOON_REPORTING, HOLE, 0x80000000, VQ_DESC_WRITE);
	assert_int_equal(word_of(FIRST), FIRST);
	assert_int_equal(report().discarded, 8);
}

/* D9, D11. */
static void config_is_what_each_side_says(void **state)
{
	const uint64_t target = VIRTIO_CONFIG, actual = VIRTIO_CONFIG + 4;
	uint32_t generation;

	(void)state;
	use_queue(0);
	assert_int_equal(reg(target), 32);
	generation = reg(VIRTIO_CONFIG_GENERATION);
	balloon_set_target(dev, 77);
	assert_int_equal(interrupt(), VIRTIO_ISR_CONFIG);
	assert_int_equal(reg(target), 77);
	assert_int_not_equal(reg(VIRTIO_CONFIG_GENERATION), generation);
	set(target, 5); /* ours */
	assert_int_equal(reg(target), 77);
	set(actual, 33);
	assert_int_equal(report().actual_pages, 33);
	set(actual, 0xffffffff);
	assert_int_equal(report().actual_pages, PAGES_2);
	dev->device.ops->write(&dev->device, actual + 1, 1, 0);
	assert_int_equal(report().actual_pages, PAGES_2);
	/* D15: a new driver begins with an empty one. */
	inflate((const uint32_t[]){ FIRST }, 1); /* the thread is at work */
	use_queue(0);
	assert_int_equal(report().actual_pages, 0);
	assert_int_equal(reg(target), 77);
}

static void put_stats(const struct balloon_stat *s, uint32_t bytes)
{
	put(BUFFERS, s, bytes);
	put_desc(DESC, 0, BUFFERS, bytes, 0, 0);
	offer(QUEUE, 0);
	set(VIRTIO_QUEUE_NOTIFY, 2);
}

static bool came(uint32_t known)
{
	return report().known == known;
}

static void *refill(void *arg)
{
	const struct balloon_stat s[] = { { 4, 500 }, { 15, 7 } };

	(void)arg;
	while (used_idx() == 0)
		interrupt();
	put_stats(s, sizeof(s));
	return NULL;
}

/* The buffer stays with us until somebody wants to know. */
static void statistics_come_when_asked_for(void **state)
{
	const struct balloon_stat s[] = { { 0, 11 }, { 4, 400 }, { 99, 1 } };
	pthread_t driver;

	(void)state;
	use_queue(2);
	assert_int_equal(report().updated_s, 0);
	balloon_refresh(dev, 60000); /* without a buffer at once */
	put_stats(s, sizeof(s));
	while (!came(1u << 0 | 1u << 4))
		;
	assert_int_equal(report().value[4], 400);
	assert_int_equal(used_idx(), 0);
	assert_int_not_equal(report().updated_s, 0);
	assert_int_equal(pthread_create(&driver, NULL, refill, NULL), 0);
	balloon_refresh(dev, 60000);
	pthread_join(driver, NULL);
	assert_true(came(1u << 4 | 1u << 15));
	assert_int_equal(report().value[4], 500);
	assert_int_equal(report().value[15], 7);
	balloon_refresh(dev, 1); /* nobody answers */
	assert_int_equal(used_idx(), 2);
}

/* D8. */
static void statistics_are_bounded(void **state)
{
	struct balloon_stat s[BALLOON_STATS_MAX + 1];
	uint16_t seen = 0;

	(void)state;
	for (unsigned i = 0; i < BALLOON_STATS_MAX; i++)
		s[i] = (struct balloon_stat){ 1, i };
	s[BALLOON_STATS_MAX] = (struct balloon_stat){ 2, 1 };
	use_queue(2);
	put_stats(s, sizeof(s));
	while (!came(1u << 1))
		;
	assert_int_equal(report().value[1], BALLOON_STATS_MAX - 1);
	/* A second one is too many; it is looked at and given back. */
	for (uint32_t len = 6; len < 64 << 20; len = len * 64 + 1) {
		put_desc(DESC, 0, BUFFERS, len, 0, 0);
		offer(QUEUE, 0);
		set(VIRTIO_QUEUE_NOTIFY, 2);
		while (used_idx() == seen)
			interrupt();
		seen++;
	}
	assert_int_equal(reg(VIRTIO_STATUS) & VIRTIO_NEEDS_RESET, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(what_is_given_is_gone_and_reads_as_zeros),
		TEST(a_page_given_twice_is_given_once),
		TEST(what_is_no_ram_is_skipped_and_counted),
		TEST(lists_of_no_shape_do_nothing),
		TEST(its_own_pages_are_its_own_affair),
		TEST(a_pinned_page_stays),
		TEST(a_deflate_needs_no_inflate),
		TEST(free_pages_are_reported_as_buffers),
		TEST(config_is_what_each_side_says),
		TEST(statistics_come_when_asked_for),
		TEST(statistics_are_bounded),
	};

	if (!may_watch())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
