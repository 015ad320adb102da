/* SPDX-License-Identifier: MIT */
/* virtio-net and what the guest sends. What it receives: dev_net_receive.c.
 * Cases D35 to D41 are those of docs/hostile.md. */
#include "tests/unit/net_fixture.h"

static void config_says_who_it_is(void **state)
{
	struct net_config c;

	(void)state;
	virtio_config_get(dev, 0, &c, sizeof(c));
	assert_memory_equal(c.mac, mac, NET_MAC);
	assert_int_equal(c.status, NET_LINK_UP);
}

/* D36: the header lies where it likes. */
static void a_packet_may_come_in_any_pieces(void **state)
{
	const uint32_t len = HEADER + 60;

	(void)state;
	bring_up_queue(TRANSMIT, 0, SIZE);
	fill_packet(len);
	put(BUFFERS, packet, len);
	for (unsigned i = 0; i < HEADER; i++)
		put_desc(DESC, i, BUFFERS + i, 1, VQ_DESC_NEXT, i + 1);
	put_desc(DESC, HEADER, BUFFERS + HEADER, 60, 0, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, TRANSMIT);
	wait_for_used(1);
	expect_on_wire(len);
	assert_int_equal(dev->count.bytes, 60);
	assert_int_equal(dev->count.errors, 0);
}

/* D35 */
static void what_is_no_frame_is_lost(void **state)
{
	static const uint32_t bad[] = { 1, HEADER, HEADER + NET_FRAME_MIN - 1,
					NET_PACKET_MAX + 1 };
	static const uint32_t good[] = { HEADER + NET_FRAME_MIN,
					 NET_PACKET_MAX };

	(void)state;
	bring_up_queue(TRANSMIT, 0, SIZE);
	for (unsigned i = 0; i < 4; i++) {
		fill_packet(bad[i]);
		transmit(bad[i]);
		expect_silence();
		assert_int_equal(dev->count.errors, i + 1);
	}
	put_desc(DESC, 1, HOLE, 100, 0, 0); /* no RAM */
	offer(SIZE, 1);
	put_desc(DESC, 2, BUFFERS, 100, VQ_DESC_WRITE, 0); /* nothing to read */
	offer(SIZE, 2);
	set(VIRTIO_QUEUE_NOTIFY, TRANSMIT);
	wait_for_used(6);
	assert_int_equal(dev->count.errors, 6);
	for (unsigned i = 0; i < 2; i++) {
		fill_packet(good[i]);
		transmit(good[i]);
		expect_on_wire(good[i]);
	}
	assert_int_equal(dev->count.errors, 6);
	assert_int_equal(reg(VIRTIO_STATUS), 15);
}

/* A frame of 100 bytes and what its header asks. */
struct asked {
	struct net_header header;
	uint64_t features; /* with these */
	bool good;
};

/* D37, D38: with and without what was negotiated, within the frame or not. */
static void garbage_in_a_header_goes_nowhere(void **state)
{
	const uint64_t tso = NET_F_CSUM | NET_F_HOST_TSO4;
	const struct asked asked[] = {
		{ { NET_NEEDS_CSUM, 0, 0, 0, 34, 16, 0 }, 0, false },
		{ { NET_NEEDS_CSUM, 0, 0, 0, 34, 16, 0 }, NET_F_CSUM, true },
		{ { NET_NEEDS_CSUM, 0, 0, 0, 82, 16, 0 }, NET_F_CSUM, true },
		{ { NET_NEEDS_CSUM, 0, 0, 0, 83, 16, 0 }, NET_F_CSUM, false },
		{ { NET_NEEDS_CSUM, 0, 0, 0, 65535, 65535, 0 },
		  NET_F_CSUM,
		  false },
		{ { NET_DATA_VALID, 0, 0, 0, 0, 0, 0 }, NET_F_CSUM, false },
		{ { 0xfe, 0, 0, 0, 0, 0, 0 }, NET_F_CSUM, false },
		{ { 1, NET_GSO_TCPV4, 54, 40, 34, 16, 0 }, tso, true },
		{ { 1, NET_GSO_TCPV4, 54, 40, 34, 16, 0 }, NET_F_CSUM, false },
		{ { 1, NET_GSO_TCPV6, 54, 40, 34, 16, 0 }, tso, false },
		{ { 0, NET_GSO_TCPV4, 54, 40, 34, 16, 0 }, tso, false },
		{ { 1, NET_GSO_TCPV4, 54, 0, 34, 16, 0 }, tso, false },
		{ { 1, NET_GSO_TCPV4, 101, 40, 34, 16, 0 }, tso, false },
		{ { 1, 0xff, 54, 40, 34, 16, 0 }, tso, false },
	};
	uint64_t errors = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		bring_up_queue(TRANSMIT, asked[i].features, SIZE);
		fill_packet(100);
		memcpy(packet, &asked[i].header, HEADER);
		transmit(HEADER + 100);
		if (asked[i].good)
			expect_on_wire(HEADER + 100);
		else
			expect_silence();
		errors += !asked[i].good;
		assert_int_equal(dev->count.errors, errors);
	}
}

/* D41 */
static void a_foreign_address_is_counted(void **state)
{
	(void)state;
	bring_up_queue(TRANSMIT, 0, SIZE);
	fill_packet(100);
	transmit(100);
	assert_int_equal(virtio_net_foreign(dev), 0);
	expect_on_wire(100);
	packet[HEADER + NET_MAC + 5] ^= 1;
	transmit(100);
	assert_int_equal(virtio_net_foreign(dev), 1);
	expect_on_wire(100);
	assert_int_equal(dev->count.errors, 0);
}

/* D40: a link in trouble loses packets; one that is gone is a cable pulled. */
static void a_link_may_fail(void **state)
{
	static const int trouble[] = { -EAGAIN, -ENOBUFS, -EIO, -EINVAL };
	struct net_config c;

	(void)state;
	bring_up_queue(TRANSMIT, 0, SIZE);
	fill_packet(100);
	for (unsigned i = 0; i < 4; i++) {
		send_error = trouble[i];
		transmit(100);
		assert_int_equal(dev->count.errors, i + 1);
	}
	send_error = 0;
	transmit(100);
	expect_on_wire(100);
	send_error = -ENODEV;
	transmit(100);
	virtio_config_get(dev, 0, &c, sizeof(c));
	assert_int_equal(c.status, 0);
	send_error = 0;
	transmit(100); /* it does not come back */
	expect_silence();
	assert_int_equal(dev->count.errors, 6);
	assert_int_equal(reg(VIRTIO_STATUS), 15);
}

/* Segments whose sums the guest would not know are not for it (5.1.3.1). */
static void the_link_hears_what_was_accepted(void **state)
{
	(void)state;
	bring_up_queue(RECEIVE, NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | MERGE,
		       SIZE);
	while (offloads != (NET_F_GUEST_CSUM | NET_F_GUEST_TSO4))
		;
	bring_up_queue(RECEIVE, NET_F_GUEST_TSO6 | NET_F_CSUM, SIZE);
	while (offloads != NET_F_CSUM)
		;
}

/* C3, in both queues; a reset makes it well. */
static void nonsense_needs_a_reset(void **state)
{
	(void)state;
	for (unsigned n = RECEIVE; n <= TRANSMIT; n++) {
		bring_up_queue(n, 0, SIZE);
		offer(SIZE, SIZE);
		set(VIRTIO_QUEUE_NOTIFY, n);
		from_wire(100);
		while (!(interrupt() & VIRTIO_ISR_CONFIG))
			;
		assert_true(reg(VIRTIO_STATUS) & VIRTIO_NEEDS_RESET);
	}
	assert_int_equal(dev->count.needs_reset, 2);
	bring_up_queue(TRANSMIT, 0, SIZE);
	fill_packet(100);
	transmit(100);
	expect_on_wire(100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(config_says_who_it_is),
		TEST(a_packet_may_come_in_any_pieces),
		TEST(what_is_no_frame_is_lost),
		TEST(garbage_in_a_header_goes_nowhere),
		TEST(a_foreign_address_is_counted),
		TEST(a_link_may_fail),
		TEST(the_link_hears_what_was_accepted),
		TEST(nonsense_needs_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
