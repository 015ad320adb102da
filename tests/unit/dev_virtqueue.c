/* SPDX-License-Identifier: MIT */
/* Split virtqueues: rings and interrupts. Cases C1 to C20 are those of
 * docs/hostile.md. What is in a chain: dev_virtqueue_chain.c. */
#include "tests/unit/queue_fixture.h"

static void an_empty_queue_is_empty(void **state)
{
	(void)state;
	take(VQ_EMPTY);
	take(VQ_EMPTY);
	assert_int_equal(q.seen, 0);
}

static void a_chain_comes_as_it_is(void **state)
{
	(void)state;
	put_chain(DESC, 5, 2);
	offer(SIZE, 0);
	take(VQ_TAKEN);
	assert_int_equal(chain.head, 0);
	assert_int_equal(chain.segments, 5);
	assert_int_equal(chain.readable, 3);
	assert_int_equal(chain.read_bytes, 48);
	assert_int_equal(chain.write_bytes, 32);
	assert_int_equal(chain.segment[4].at.v, BUFFERS + 4 * PAGE_SIZE);
	take(VQ_EMPTY);
}

/* Indices count for ever, modulo 2^16: C20's other end. */
static void indices_wrap(void **state)
{
	(void)state;
	put_chain(DESC, 2, 1);
	for (unsigned i = 0; i < 0x10000 + 10; i++) {
		offer(SIZE, 0);
		take(VQ_TAKEN);
		assert_true(virtqueue_give(
			&q, &(struct vq_used){ chain.head, i }, 1));
		assert_int_equal(used_idx(), (i + 1) & 0xffff);
		assert_int_equal(used_entry(i % SIZE).len, i);
	}
	take(VQ_EMPTY);
}

/* C1, C2: more than the queue holds is made available, or less than nothing. */
static void jumps_of_the_index(void **state)
{
	static const uint16_t jumps[] = { SIZE + 1, 0x100, 0x8000, 0xffff };

	(void)state;
	put_chain(DESC, 1, 1);
	for (unsigned i = 0; i < 4; i++) {
		put16(DRIVER + 2, jumps[i]);
		q.seen = 0;
		take_broken();
	}
	put16(DRIVER + 2, 4);
	q.seen = 5;
	take_broken();
	put16(DRIVER + 2, SIZE); /* exactly full */
	q.seen = 0;
	take(VQ_TAKEN);
}

/* C3, C5 */
static void indices_beyond_the_table(void **state)
{
	static const uint16_t beyond[] = { SIZE, SIZE + 1, 0x7fff, 0xffff };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		clear_queue();
		q.seen = 0;
		offer(SIZE, beyond[i]);
		take_broken();
		clear_queue();
		put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_NEXT, beyond[i]);
		offer(SIZE, 0);
		take_broken();
	}
}

/* Does the driver, waiting for the index to pass @event, hear of it? */
static void expect_interrupt(unsigned from, unsigned gives, unsigned event,
			     bool want)
{
	q.used = q.told = (uint16_t)from;
	put16(DRIVER + 4 + SIZE * 2, event);
	for (unsigned i = 0; i < gives; i++)
		assert_true(virtqueue_give(&q, &(struct vq_used){ 0, 0 }, 1));
	assert_int_equal(virtqueue_interrupts(&q), want);
	assert_false(virtqueue_interrupts(&q));
}

/* C13, 2.7.7.2: whatever used_event is, at most an interrupt more or less. */
static void interrupts_as_the_driver_asks(void **state)
{
	(void)state;
	assert_false(virtqueue_interrupts(&q));
	assert_true(virtqueue_give(&q, &(struct vq_used){ 0, 0 }, 1));
	put16(DRIVER, VQ_AVAIL_NO_INTERRUPT);
	assert_false(virtqueue_interrupts(&q));
	put16(DRIVER, 0);
	assert_true(virtqueue_give(&q, &(struct vq_used){ 0, 0 }, 1));
	assert_true(virtqueue_interrupts(&q));

	q.event_idx = true;
	expect_interrupt(0, 1, 0, true);
	expect_interrupt(0, 1, 1, false);
	expect_interrupt(5, 3, 5, true);
	expect_interrupt(5, 3, 7, true);
	expect_interrupt(5, 3, 8, false);
	expect_interrupt(5, 3, 4, false);
	expect_interrupt(0xfffe, 4, 0xffff, true);
	expect_interrupt(0xfffe, 4, 1, true);
	expect_interrupt(0xfffe, 4, 2, false);
	expect_interrupt(0, 0, 0, false);
}

/* With EVENT_IDX the device asks for a kick only when it is out of work. */
static void kicks_are_asked_for_when_idle(void **state)
{
	(void)state;
	q.event_idx = true;
	put_chain(DESC, 1, 1);
	for (unsigned i = 0; i < 3; i++)
		offer(SIZE, 0);
	put16(DEVICE + 4 + SIZE * 8, 0xabcd);
	take(VQ_TAKEN);
	take(VQ_TAKEN);
	assert_int_equal(get16(DEVICE + 4 + SIZE * 8), 0xabcd);
	take(VQ_TAKEN);
	take(VQ_EMPTY);
	assert_int_equal(get16(DEVICE + 4 + SIZE * 8), 3);
}

/* B7: aligned, and all three areas in RAM. */
static void areas_are_checked(void **state)
{
	static const struct {
		uint64_t desc, driver, device;
		bool good;
	} cases[] = {
		{ DESC, DRIVER, DEVICE, true },
		{ 0, 0x1000, 0x2000, true }, /* C18: page 0 */
		{ LOW_END - SIZE * 16, DRIVER, DEVICE, true },
		{ HIGH, DRIVER, HIGH + LOW_END - 6 - SIZE * 8 - 2, true },
		{ DESC, DESC, DESC, true }, /* its own loss: C10 */
		{ DESC + 8, DRIVER, DEVICE, false },
		{ DESC, DRIVER + 1, DEVICE, false },
		{ DESC, DRIVER, DEVICE + 2, false },
		{ LOW_END - SIZE * 16 + 16, DRIVER, DEVICE, false },
		{ HOLE, DRIVER, DEVICE, false },
		{ DESC, HOLE, DEVICE, false },
		{ DESC, DRIVER, HOLE, false },
		{ DESC, LOW_END - 4, DEVICE, false },
		{ UINT64_MAX - 15, DRIVER, DEVICE, false },
		{ DESC, DRIVER, UINT64_MAX - 3, false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		q.desc.v = cases[i].desc;
		q.driver.v = cases[i].driver;
		q.device.v = cases[i].device;
		if (virtqueue_valid(&q) != cases[i].good)
			fail_msg("case %u", i);
	}
}

/* C12, C17: rings that are not there any more. */
static void a_queue_without_memory_is_broken(void **state)
{
	(void)state;
	q.driver.v = HOLE;
	take_broken();
	q.driver.v = DRIVER;
	q.device.v = HOLE;
	assert_false(virtqueue_give(&q, &(struct vq_used){ 0, 0 }, 1));
	q.device.v = HIGH - 4; /* the entries are there, their index is not */
	assert_false(virtqueue_give(&q, &(struct vq_used){ 0, 0 }, 1));
	assert_int_equal(q.used, 0);
	q.device.v = HOLE;
	q.event_idx = true;
	take_broken();
	q.desc.v = HOLE;
	offer(SIZE, 0);
	take_broken();
}

/* The next calls that fail although there is RAM, and how often somebody may
 * ask again. */
static unsigned failing, patience, asked;

bool __real_guest_read(struct stage2 *s, gpa_t at, void *to, size_t len);
bool __real_guest_write(struct stage2 *s, gpa_t at, const void *from,
			size_t len);
bool __wrap_guest_read(struct stage2 *s, gpa_t at, void *to, size_t len);
bool __wrap_guest_write(struct stage2 *s, gpa_t at, const void *from,
			size_t len);

bool __wrap_guest_read(struct stage2 *s, gpa_t at, void *to, size_t len)
{
	return failing ? failing--, false : __real_guest_read(s, at, to, len);
}

bool __wrap_guest_write(struct stage2 *s, gpa_t at, const void *from,
			size_t len)
{
	return failing ? failing--,
	       false   : __real_guest_write(s, at, from, len);
}

static bool ask_again(void *ctx)
{
	assert_ptr_equal(ctx, &asked);
	asked++;
	return patience ? patience--, true : false;
}

/* F5: memory that cannot be had now but later is waited for, and the driver
 * sees nothing of it; no RAM at all is not asked for again. */
static void lost_pages_that_come_back(void **state)
{
	uint8_t bytes[16];

	(void)state;
	q.again = ask_again;
	q.ctx = &asked;
	asked = 0;
	put_chain(DESC, 2, 1);
	offer(SIZE, 0);
	failing = patience = 3;
	take(VQ_TAKEN);
	assert_int_equal(asked, 3);
	failing = patience = 1;
	assert_true(chain_read(&q, &chain, 0, bytes, sizeof(bytes)));
	failing = patience = 1;
	assert_true(virtqueue_give(&q, &(struct vq_used){ 0, 0 }, 1));
	assert_int_equal(asked, 5);
	failing = 3;
	patience = 2;
	assert_false(chain_write(&q, &chain, 0, bytes, sizeof(bytes)));
	assert_int_equal(asked, 8);
	chain.segment[0].at.v = HOLE;
	assert_false(chain_read(&q, &chain, 0, bytes, sizeof(bytes)));
	assert_int_equal(asked, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_queue_is_empty),
		TEST(a_chain_comes_as_it_is),
		TEST(indices_wrap),
		TEST(jumps_of_the_index),
		TEST(indices_beyond_the_table),
		TEST(interrupts_as_the_driver_asks),
		TEST(kicks_are_asked_for_when_idle),
		TEST(areas_are_checked),
		TEST(a_queue_without_memory_is_broken),
		TEST(lost_pages_that_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
