/* SPDX-License-Identifier: MIT */
/* virtio-net and the packets that come. Cases D39 and D40 are those of
 * docs/hostile.md. */
#include "tests/unit/net_fixture.h"

static void lend(unsigned i, uint32_t len)
{
	put_desc(DESC, i, BUFFERS + i * PAGE_SIZE, len, VQ_DESC_WRITE, 0);
	offer(SIZE, i);
}

/* What buffer @i holds is bytes [at, at + len) of the packet. */
static void expect_part(unsigned i, uint32_t at, uint32_t len)
{
	struct vq_used u = used_entry(i);

	assert_int_equal(u.head, i);
	assert_int_equal(u.len, len);
	get(BUFFERS + i * PAGE_SIZE, got, len);
	assert_memory_equal(got, packet + at, len);
}

static void expect_buffers(unsigned i, uint16_t n)
{
	const uint64_t at = BUFFERS + i * PAGE_SIZE;

	assert_int_equal(get16(at + 10), n);
	put16(at + 10, 0); /* as it was sent */
}

static void a_packet_fills_as_many_buffers_as_it_takes(void **state)
{
	(void)state;
	bring_up_queue(RECEIVE, MERGE, SIZE);
	for (unsigned i = 0; i < 4; i++)
		lend(i, 100);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	from_wire(250);
	wait_for_used(3); /* all at once: never 1 or 2 */
	expect_buffers(0, 3);
	expect_part(0, 0, 100);
	expect_part(1, 100, 100);
	expect_part(2, 200, 50);
	from_wire(100);
	wait_for_used(4);
	expect_buffers(3, 1);
	expect_part(3, 0, 100);
	assert_int_equal(dev->count.bytes, 250 + 100 - 2 * HEADER);
}

/* Until the device has taken what was sent. */
static void wait_until_taken(void)
{
	int waiting;

	do
		assert_int_equal(ioctl(wire, SIOCOUTQ, &waiting), 0);
	while (waiting);
}

/* D39: nobody listens until there are buffers, and none is lost. */
static void packets_wait_for_buffers(void **state)
{
	(void)state;
	bring_up_queue(RECEIVE, MERGE, SIZE);
	lend(0, 100);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	from_wire(150);
	wait_until_taken();
	from_wire(80);
	assert_int_equal(used_idx(), 0);
	lend(1, 100);
	lend(2, 100);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	wait_for_used(3);
	expect_buffers(2, 1);
	expect_part(2, 0, 80);
	fill_packet(150);
	expect_buffers(0, 2);
	expect_part(0, 0, 100);
	expect_part(1, 100, 50);
	assert_int_equal(dev->count.errors, 0);
}

/* A buffer of its own is all that a packet has without MERGE, and all of the
 * queue's with it. */
static void what_fits_nowhere_is_lost(void **state)
{
	(void)state;
	bring_up_queue(RECEIVE, 0, SIZE);
	lend(0, 100);
	lend(1, 200);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	from_wire(150);
	wait_for_used(1);
	assert_int_equal(used_entry(0).len, 0);
	from_wire(150);
	wait_for_used(2);
	expect_buffers(1, 1);
	expect_part(1, 0, 150);
	assert_int_equal(dev->count.errors, 1);

	bring_up_queue(RECEIVE, MERGE, SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		lend(i, 16);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	from_wire(16 * SIZE + 1);
	wait_for_used(SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		assert_int_equal(used_entry(i).len, 0);
	assert_int_equal(dev->count.errors, 2);
	assert_int_equal(reg(VIRTIO_STATUS), 15);
}

/* No RAM, nothing to write to, no room for a header. */
static void bad_buffers_cost_their_packet(void **state)
{
	(void)state;
	bring_up_queue(RECEIVE, MERGE, SIZE);
	put_desc(DESC, 0, HOLE, 2000, VQ_DESC_WRITE, 0);
	put_desc(DESC, 1, BUFFERS, 2000, 0, 0);
	put_desc(DESC, 2, BUFFERS, HEADER - 1, VQ_DESC_WRITE, 0);
	for (unsigned i = 0; i < 3; i++)
		offer(SIZE, i);
	lend(3, 2000);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	for (unsigned i = 0; i < 3; i++) {
		from_wire(100);
		wait_for_used((uint16_t)(i + 1));
		assert_int_equal(used_entry(i).len, 0);
		assert_int_equal(dev->count.errors, i + 1);
	}
	from_wire(100);
	wait_for_used(4);
	expect_buffers(3, 1);
	expect_part(3, 0, 100);
	assert_int_equal(reg(VIRTIO_STATUS), 15);
}

/* D40, the other way: nobody is at the other end any more. */
static void a_link_may_end(void **state)
{
	struct net_config c;

	(void)state;
	bring_up_queue(RECEIVE, MERGE, SIZE);
	close(wire);
	wire = -1;
	while (!(interrupt() & VIRTIO_ISR_CONFIG))
		;
	virtio_config_get(dev, 0, &c, sizeof(c));
	assert_int_equal(c.status, 0);
	assert_int_equal(reg(VIRTIO_STATUS), 15);
	bring_up_queue(TRANSMIT, 0, SIZE);
	fill_packet(100);
	transmit(100);
	assert_int_equal(dev->count.errors, 1);
}

static void a_reset_forgets_what_waited(void **state)
{
	(void)state;
	bring_up_queue(RECEIVE, MERGE, SIZE);
	from_wire(150);
	wait_until_taken();
	bring_up_queue(RECEIVE, MERGE, SIZE);
	lend(0, 2000);
	set(VIRTIO_QUEUE_NOTIFY, RECEIVE);
	from_wire(80);
	wait_for_used(1);
	expect_buffers(0, 1);
	expect_part(0, 0, 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_packet_fills_as_many_buffers_as_it_takes),
		TEST(packets_wait_for_buffers),
		TEST(what_fits_nowhere_is_lost),
		TEST(bad_buffers_cost_their_packet),
		TEST(a_link_may_end),
		TEST(a_reset_forgets_what_waited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
