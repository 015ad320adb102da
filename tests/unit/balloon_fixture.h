/* SPDX-License-Identifier: MIT */
/* The balloon over a stage 2 at work, with one of its queues. */
#ifndef TESTS_UNIT_BALLOON_FIXTURE_H
#define TESTS_UNIT_BALLOON_FIXTURE_H

#include "devices/virtio_balloon.h"
#include "ept/observe.h"
#include "tests/unit/stage2_fixture.h"
#include "tests/unit/virtio_fixture.h"

#define QUEUE	16
#define MARKED	64 /* pages from FIRST on */
#define FIRST	192 /* nothing of the tests' own lies there */
#define ALL	(BALLOON_F_STATS | BALLOON_F_DEFLATE_ON_OOM | BALLOON_F_REPORTING)
#define PAGES_2 1024 /* of RAM */

static inline uint64_t start_balloon(void)
{
	const struct balloon_setup setup = { .target_pages = 32,
					     .ram_pages = PAGES_2,
					     .deflate_on_oom = true,
					     .reporting = true };
	struct virtio_host host;
	uint64_t word;

	start((struct options){ .pages = PAGES_2 });
	ram = s2;
	host = test_host();
	assert_int_equal(virtio_balloon_create(&dev, &setup, &host), 0);
	for (uint64_t page = FIRST; page < FIRST + MARKED; page++) {
		word = page;
		put(page << PAGE_SHIFT, &word, sizeof(word));
	}
	return counters().resident;
}

static inline int begin(void **state)
{
	(void)state;
	start_balloon();
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	destroy();
	stop();
	return 0;
}

static inline struct balloon_report report(void)
{
	struct balloon_report r;

	balloon_report(dev, &r);
	return r;
}

/* Make queue @n the one that lies at DESC, of a driver with @features; alone
 * from the third on, it is what the first of them is for. */
static inline void drive(unsigned n, uint64_t features)
{
	clear_queue();
	negotiate(features);
	set_queue(n, QUEUE);
	driver_ok();
}

static inline void use_queue(unsigned n)
{
	drive(n, ALL);
}

/* Lend @len bytes at @at and wait until they are back. */
static inline void lend(unsigned n, uint64_t at, uint32_t len, unsigned flags)
{
	uint16_t seen = used_idx();

	put_desc(DESC, 0, at, len, flags, 0);
	offer(QUEUE, 0);
	set(VIRTIO_QUEUE_NOTIFY, n);
	while (used_idx() == seen)
		interrupt();
}

static inline void inflate(const uint32_t *pfn, unsigned n)
{
	put(BUFFERS / 2, pfn, n * sizeof(pfn[0]));
	lend(0, BUFFERS / 2, n * (uint32_t)sizeof(pfn[0]), 0);
}

static inline uint64_t word_of(uint64_t page)
{
	uint64_t word;

	get(page << PAGE_SHIFT, &word, sizeof(word));
	return word;
}

static inline uint64_t ballooned(enum rung r)
{
	struct ladder l;

	stage2_ladder(s2, &l);
	return l.rung[r].pages;
}

#endif
