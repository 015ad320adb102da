/* SPDX-License-Identifier: MIT */
/* Split virtqueues. Cases C1 to C20 are those of HOSTILE.md, section 1 C. */
#include "tests/unit/virtio_fixture.h"

#define SIZE 8

static struct virtqueue q;
static struct vq_chain chain;

static int setup(void **state)
{
	(void)state;
	ram_make();
	clear_queue();
	q = (struct virtqueue){
		.memory = ram,
		.size = SIZE,
		.desc = { DESC },
		.driver = { DRIVER },
		.device = { DEVICE },
		.indirect = true,
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ram_free();
	return 0;
}

static void take(enum vq_take want)
{
	assert_int_equal(virtqueue_take(&q, &chain), want);
}

/* A queue that makes no sense still makes none when asked again. */
static void take_broken(void)
{
	take(VQ_BROKEN);
	take(VQ_BROKEN);
}

/* Descriptors 0 to @n - 1 in a chain, the last @writable of them writable, of
 * 16 bytes each. */
static void put_chain(uint64_t table, unsigned n, unsigned writable)
{
	for (unsigned i = 0; i < n; i++)
		put_desc(table, i, BUFFERS + i * PAGE_SIZE, 16,
			 (i + 1 < n ? VQ_DESC_NEXT : 0) |
				 (i + writable >= n ? VQ_DESC_WRITE : 0),
			 i + 1);
}

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

/* C4 */
static void loops_and_lengths(void **state)
{
	(void)state;
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_NEXT, 0);
	offer(SIZE, 0);
	take_broken();
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_NEXT, 1);
	put_desc(DESC, 1, BUFFERS, 16, VQ_DESC_NEXT, 0);
	take_broken();
	put_chain(DESC, SIZE, 1); /* exactly the queue's size */
	take(VQ_TAKEN);
	assert_int_equal(chain.segments, SIZE);
	/* one more, by way of an indirect table behind direct descriptors */
	put_chain(DESC, 2, 0);
	put_desc(DESC, 2, TABLE, (SIZE - 1) * 16, VQ_DESC_INDIRECT, 0);
	put_desc(DESC, 1, BUFFERS, 16, VQ_DESC_NEXT, 2);
	put_chain(TABLE, SIZE - 1, 1);
	offer(SIZE, 0);
	take_broken();
	put_chain(TABLE, SIZE - 2, 1);
	take(VQ_TAKEN);
	assert_int_equal(chain.segments, SIZE);
}

static void an_indirect_chain_is_a_chain(void **state)
{
	(void)state;
	put_chain(TABLE, SIZE, 3);
	put_desc(DESC, 5, TABLE, SIZE * 16, VQ_DESC_INDIRECT, 0xffff);
	offer(SIZE, 5);
	take(VQ_TAKEN);
	assert_int_equal(chain.head, 5);
	assert_int_equal(chain.segments, SIZE);
	assert_int_equal(chain.readable, SIZE - 3);
}

/* C6 */
static void indirect_tables_that_make_no_sense(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t len;
		unsigned flags;
	} bad[] = {
		{ TABLE, 0, VQ_DESC_INDIRECT },
		{ TABLE, 8, VQ_DESC_INDIRECT },
		{ TABLE, 17, VQ_DESC_INDIRECT },
		{ TABLE, (SIZE + 1) * 16, VQ_DESC_INDIRECT },
		{ TABLE, UINT32_MAX & ~15u, VQ_DESC_INDIRECT },
		{ TABLE, 16, VQ_DESC_INDIRECT | VQ_DESC_NEXT },
		{ HOLE, 16, VQ_DESC_INDIRECT },
		{ LOW_END - 16, 32, VQ_DESC_INDIRECT },
		{ UINT64_MAX - 7, 16, VQ_DESC_INDIRECT },
	};

	(void)state;
	put_chain(TABLE, 2, 1);
	offer(SIZE, 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_desc(DESC, 0, bad[i].at, bad[i].len, bad[i].flags, 1);
		take_broken();
	}
	/* nested, and next beyond its own table */
	put_desc(DESC, 0, TABLE, 32, VQ_DESC_INDIRECT, 0);
	put_desc(TABLE, 0, TABLE, 32, VQ_DESC_INDIRECT, 0);
	take_broken();
	put_desc(TABLE, 0, BUFFERS, 16, VQ_DESC_NEXT, 2);
	take_broken();
	put_desc(TABLE, 0, BUFFERS, 16, VQ_DESC_NEXT, 0);
	take_broken();
	/* where it was not negotiated */
	put_desc(TABLE, 0, BUFFERS, 16, 0, 0);
	q.indirect = false;
	take_broken();
	q.indirect = true;
	take(VQ_TAKEN);
}

/* C7: no address is looked at before it is used; then there is an error, and
 * no access beyond RAM. */
static void addresses_that_are_no_ram(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t len;
	} bad[] = {
		{ HOLE, 16 },
		{ LOW_END - 8, 16 },
		{ HIGH + LOW_END - 8, 16 },
		{ UINT64_MAX, 16 },
		{ UINT64_MAX - 15, 32 },
		{ UINT64_C(1) << 52, 16 },
	};
	uint8_t bytes[32] = { 0 };

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_desc(DESC, 0, bad[i].at, bad[i].len, VQ_DESC_NEXT, 1);
		put_desc(DESC, 1, bad[i].at, bad[i].len, VQ_DESC_WRITE, 0);
		offer(SIZE, 0);
		take(VQ_TAKEN);
		assert_false(chain_read(&q, &chain, 0, bytes, bad[i].len));
		assert_false(chain_write(&q, &chain, 0, bytes, bad[i].len));
	}
}

/* C8 */
static void lengths_that_make_no_sense(void **state)
{
	(void)state;
	offer(SIZE, 0);
	put_desc(DESC, 0, BUFFERS, 0, 0, 0);
	take_broken();
	put_desc(DESC, 0, BUFFERS, UINT32_MAX, VQ_DESC_NEXT, 1);
	put_desc(DESC, 1, BUFFERS, 1, 0, 0);
	take_broken(); /* 2^32 bytes in all */
	put_desc(DESC, 1, BUFFERS, 1, VQ_DESC_WRITE, 0);
	take(VQ_TAKEN); /* to be read, so many; no access yet */
	assert_int_equal(chain.read_bytes, UINT32_MAX);
	assert_int_equal(chain.write_bytes, 1);
}

/* C9 */
static void readable_ones_come_first(void **state)
{
	(void)state;
	put_desc(DESC, 0, BUFFERS, 16, VQ_DESC_NEXT | VQ_DESC_WRITE, 1);
	put_desc(DESC, 1, BUFFERS, 16, 0, 0);
	offer(SIZE, 0);
	take_broken();
	put_chain(DESC, 3, 3);
	take(VQ_TAKEN);
	assert_int_equal(chain.readable, 0);
	offer(SIZE, 0);
	put_chain(DESC, 3, 0);
	take(VQ_TAKEN);
	assert_int_equal(chain.readable, 3);
	assert_int_equal(chain.write_bytes, 0);
}

/* C10: the same head twice, and a buffer that is the used ring. */
static void what_overlaps_is_the_guests_loss(void **state)
{
	uint8_t bytes[16] = { 0xff, 0xff };

	(void)state;
	put_desc(DESC, 0, DEVICE, 16, VQ_DESC_WRITE, 0);
	offer(SIZE, 0);
	offer(SIZE, 0);
	take(VQ_TAKEN);
	assert_true(chain_write(&q, &chain, 0, bytes, 16));
	assert_true(virtqueue_give(&q, &(struct vq_used){ 0, 16 }, 1));
	assert_int_equal(used_idx(), 1);
	take(VQ_TAKEN);
	assert_true(virtqueue_give(&q, &(struct vq_used){ 0, 16 }, 1));
	assert_int_equal(used_idx(), 2);
}

/* C11: what was checked is a copy, which no later change reaches. */
static void a_chain_is_a_copy(void **state)
{
	(void)state;
	put_chain(TABLE, 2, 1);
	put_desc(DESC, 0, TABLE, 32, VQ_DESC_INDIRECT, 0);
	offer(SIZE, 0);
	take(VQ_TAKEN);
	put_desc(TABLE, 0, HOLE, UINT32_MAX, VQ_DESC_NEXT, 0);
	put_desc(DESC, 0, HOLE, 1, VQ_DESC_NEXT, 0);
	assert_int_equal(chain.segment[0].at.v, BUFFERS);
	assert_int_equal(chain.segment[0].len, 16);
}

/* Bytes across descriptors and pages, at every offset and length. */
static void copies_go_through_all_segments(void **state)
{
	static const uint32_t len[] = { 1, 100, 5000, 3, 16 };
	uint8_t want[5120], got[5120];
	uint32_t all = 0;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		put_desc(DESC, i, BUFFERS + i * 3 * PAGE_SIZE + 4000, len[i],
			 i < 4 ? VQ_DESC_NEXT : 0, i + 1);
		all += len[i];
	}
	assert_int_equal(all, 5120);
	for (unsigned i = 0; i < all; i++)
		want[i] = (uint8_t)(i * 7 + i / 256);
	/* written as a chain of writable ones, read as one of readable ones */
	for (unsigned i = 0; i < 5; i++)
		put16(DESC + 16 * i + 12,
		      (i < 4 ? VQ_DESC_NEXT : 0) | VQ_DESC_WRITE);
	offer(SIZE, 0);
	take(VQ_TAKEN);
	assert_false(chain_write(&q, &chain, 1, want, all));
	assert_false(chain_write(&q, &chain, all, want, 1));
	assert_true(chain_write(&q, &chain, all, want, 0));
	assert_true(chain_write(&q, &chain, 0, want, 1000));
	assert_true(chain_write(&q, &chain, 1000, want + 1000, all - 1000));
	for (unsigned i = 0; i < 5; i++)
		put16(DESC + 16 * i + 12, i < 4 ? VQ_DESC_NEXT : 0);
	offer(SIZE, 0);
	take(VQ_TAKEN);
	for (uint32_t offset = 0; offset < all; offset += 99) {
		memset(got, 0, sizeof(got));
		assert_true(chain_read(&q, &chain, offset, got, all - offset));
		assert_memory_equal(got, want + offset, all - offset);
		assert_false(
			chain_read(&q, &chain, offset, got, all - offset + 1));
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_queue_is_empty),
		TEST(a_chain_comes_as_it_is),
		TEST(indices_wrap),
		TEST(jumps_of_the_index),
		TEST(indices_beyond_the_table),
		TEST(loops_and_lengths),
		TEST(an_indirect_chain_is_a_chain),
		TEST(indirect_tables_that_make_no_sense),
		TEST(addresses_that_are_no_ram),
		TEST(lengths_that_make_no_sense),
		TEST(readable_ones_come_first),
		TEST(what_overlaps_is_the_guests_loss),
		TEST(a_chain_is_a_copy),
		TEST(copies_go_through_all_segments),
		TEST(interrupts_as_the_driver_asks),
		TEST(kicks_are_asked_for_when_idle),
		TEST(areas_are_checked),
		TEST(a_queue_without_memory_is_broken),
		TEST(lost_pages_that_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
