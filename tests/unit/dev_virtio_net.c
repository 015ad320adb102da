/* SPDX-License-Identifier: MIT */
/* virtio-net on a link whose other end is the test's. Cases D35 to D41 are
 * those of HOSTILE.md, section 1 D. */
#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "devices/virtio_net.h"
#include "tests/unit/virtio_fixture.h"

#define SIZE	 16u
#define RECEIVE	 0
#define TRANSMIT 1
#define HEADER	 12u
#define MERGE	 NET_F_MRG_RXBUF
#define FIRST	 14u /* where a frame's payload begins */

static const uint8_t mac[NET_MAC] = { 2, 't', 'f', 0, 0, 7 };
static int wire; /* the other end */
static _Atomic int send_error; /* the link's answer, if not 0 */
static _Atomic uint64_t offloads; /* that the link was told */
static unsigned closed;
static uint8_t packet[NET_PACKET_MAX + 1], got[NET_PACKET_MAX + 1];

static ssize_t link_receive(struct net_link *l, void *to, size_t room)
{
	ssize_t n = recv(l->fd, to, room, MSG_DONTWAIT);

	return n > 0 ? n : n == 0 ? -ENODEV : -errno;
}

static int link_send(struct net_link *l, const void *from, size_t len)
{
	if (send_error)
		return send_error;
	return send(l->fd, from, len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int link_offload(struct net_link *l, uint64_t accepted)
{
	(void)l;
	offloads = accepted;
	return 0;
}

static void link_close(struct net_link *l)
{
	close(l->fd);
	closed++;
}

static const struct net_link_ops link_ops = {
	.receive = link_receive,
	.send = link_send,
	.offload = link_offload,
	.close = link_close,
};

/* A packet from this device, of @len bytes with its header. */
static void fill_packet(size_t len)
{
	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(len + i * 3);
	memset(packet, 0, HEADER);
	memcpy(packet + HEADER + NET_MAC, mac, NET_MAC);
}

static int setup(void **state)
{
	struct net_link link = { .ops = &link_ops, .offloads = NET_OFFLOADS };
	struct virtio_host host;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	link.fd = pair[0];
	wire = pair[1];
	send_error = 0;
	offloads = closed = 0;
	ram_make();
	host = test_host();
	assert_int_equal(virtio_net_create(&dev, &link, mac, &host), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	destroy();
	assert_int_equal(closed, 1);
	close(wire);
	ram_free();
	return 0;
}

static void wait_for_used(uint16_t want)
{
	while (used_idx() != want)
		interrupt();
}

/* Send what is in @packet as one chain, wait until it is back. */
static void transmit(uint32_t len)
{
	uint16_t before = used_idx();

	put(BUFFERS, packet, len);
	put_desc(DESC, 0, BUFFERS, len, 0, 0);
	offer(SIZE, 0);
	set(VIRTIO_QUEUE_NOTIFY, TRANSMIT);
	wait_for_used((uint16_t)(before + 1));
}

static void expect_on_wire(uint32_t len)
{
	assert_int_equal(recv(wire, got, sizeof(got), MSG_DONTWAIT), len);
	assert_memory_equal(got, packet, len);
}

static void expect_silence(void)
{
	assert_int_equal(recv(wire, got, sizeof(got), MSG_DONTWAIT), -1);
}

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

static void lend(unsigned i, uint32_t len)
{
	put_desc(DESC, i, BUFFERS + i * PAGE_SIZE, len, VQ_DESC_WRITE, 0);
	offer(SIZE, i);
}

static void from_wire(uint32_t len)
{
	fill_packet(len);
	assert_int_equal(send(wire, packet, len, 0), len);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(config_says_who_it_is),
		TEST(a_packet_may_come_in_any_pieces),
		TEST(what_is_no_frame_is_lost),
		TEST(garbage_in_a_header_goes_nowhere),
		TEST(a_foreign_address_is_counted),
		TEST(a_link_may_fail),
		TEST(a_packet_fills_as_many_buffers_as_it_takes),
		TEST(packets_wait_for_buffers),
		TEST(what_fits_nowhere_is_lost),
		TEST(bad_buffers_cost_their_packet),
		TEST(a_link_may_end),
		TEST(a_reset_forgets_what_waited),
		TEST(the_link_hears_what_was_accepted),
		TEST(nonsense_needs_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
