/* SPDX-License-Identifier: MIT */
/* --net tap against the kernel's own tap, in a network namespace that ends with
 * the test. Case D40 is that of docs/hostile.md. */
#include <errno.h>
#include <netinet/udp.h>

#include "tests/unit/tap_fixture.h"

#define TEXT "partial"

struct __attribute__((packed)) packet {
	struct net_header header;
	struct ether_header ether;
	struct iphdr ip;
	struct udphdr udp;
	char text[8];
};

static int udp; /* a socket of the host's */

static int begin(void **state)
{
	const struct sockaddr_in host = address(HOST);

	(void)state;
	tap_begin();
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(udp, (void *)&host, sizeof(host)), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(udp);
	return tap_end();
}

/* A datagram for the host, whose sum is yet to be made. */
static struct packet datagram(void)
{
	struct packet p = {
		.header = { .flags = NET_NEEDS_CSUM,
			    .csum_start = sizeof(p.ether) + sizeof(p.ip),
			    .csum_offset = offsetof(struct udphdr, check) },
		.ether = { .ether_type = htons(ETHERTYPE_IP) },
		.ip = ip_header(IPPROTO_UDP,
				sizeof(p) - offsetof(struct packet, ip)),
		.udp = { .source = htons(PORT),
			 .dest = htons(PORT),
			 .len = htons(sizeof(p.udp) + sizeof(p.text)) },
		.text = TEXT,
	};

	memset(p.ether.ether_dhost, 0xff, NET_MAC);
	p.udp.check = pseudo(&p.ip, sizeof(p.udp) + sizeof(p.text));
	return p;
}

static void an_interface_has_one_user(void **state)
{
	struct net_link second;

	(void)state;
	assert_false(net_open(&second, &option, &why));
	assert_string_equal(why.text, "tap t0: another program is using it");
}

static void the_host_makes_the_sum(void **state)
{
	const struct packet p = datagram();
	char got[16];

	(void)state;
	assert_int_equal(tap.ops->offload(&tap, NET_OFFLOADS), 0);
	assert_int_equal(tap.ops->send(&tap, &p, sizeof(p)), 0);
	assert_int_equal(recv(udp, got, sizeof(got), 0), sizeof(p.text));
	assert_string_equal(got, TEXT);
}

/* A packet that comes within 100 ms. The kernel sends other things, too. */
static bool receive(struct packet *p)
{
	static uint8_t any[NET_PACKET_MAX];
	struct pollfd f = { .fd = tap.fd, .events = POLLIN };
	ssize_t n;

	if (poll(&f, 1, 100) < 1)
		return false;
	n = tap.ops->receive(&tap, any, sizeof(any));
	memcpy(p, any, sizeof(*p));
	return n == sizeof(*p) && p->ip.protocol == IPPROTO_UDP;
}

/* A datagram from the host, once more if need be: an interface that somebody
 * has just attached to loses what is sent for a while. */
static struct packet from_host(uint64_t accepted)
{
	const struct sockaddr_in guest = address(GUEST);
	struct packet p, again;

	assert_int_equal(tap.ops->offload(&tap, accepted), 0);
	do
		assert_int_equal(sendto(udp, TEXT, sizeof(TEXT), 0,
					(void *)&guest, sizeof(guest)),
				 sizeof(TEXT));
	while (!receive(&p));
	while (receive(&again))
		;
	return p;
}

/* Unless the guest has said that it does. */
static void the_guest_makes_the_sum(void **state)
{
	struct packet p = from_host(0);
	size_t bytes = sizeof(p.udp) + sizeof(p.text);

	(void)state;
	assert_int_equal(p.header.flags & NET_NEEDS_CSUM, 0);
	assert_int_equal(fold(&p.udp, bytes, pseudo(&p.ip, bytes)), 0xffff);
	p = from_host(NET_F_GUEST_CSUM | NET_F_GUEST_TSO4);
	assert_int_equal(p.header.flags & NET_NEEDS_CSUM, NET_NEEDS_CSUM);
	assert_int_equal(p.udp.check, pseudo(&p.ip, bytes));
	assert_string_equal(p.text, TEXT);
}

/* D40 */
static void trouble_loses_packets_only(void **state)
{
	struct packet p = datagram();
	char got[16];

	(void)state;
	p.header.gso_type = 0xff; /* what the device would not let pass */
	assert_int_equal(tap.ops->send(&tap, &p, sizeof(p)), -EINVAL);
	command("ip link set t0 down");
	p = datagram();
	assert_int_equal(tap.ops->send(&tap, &p, sizeof(p)), -EIO);
	command("ip link set t0 up");
	assert_int_equal(tap.ops->send(&tap, &p, sizeof(p)), 0);
	assert_int_equal(recv(udp, got, sizeof(got), 0), sizeof(p.text));
}

/* D40 */
static void an_interface_may_go(void **state)
{
	const struct packet p = datagram();
	struct pollfd f = { .fd = tap.fd, .events = POLLIN };
	uint8_t any[64];

	(void)state;
	command("ip link del t0");
	assert_int_equal(poll(&f, 1, -1), 1); /* it is heard of */
	assert_int_equal(tap.ops->receive(&tap, any, sizeof(any)), -ENODEV);
	assert_int_equal(tap.ops->send(&tap, &p, sizeof(p)), -ENODEV);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(an_interface_has_one_user),
		TEST(the_host_makes_the_sum),
		TEST(the_guest_makes_the_sum),
		TEST(trouble_loses_packets_only),
		TEST(an_interface_may_go),
	};
	const char *missing = lack();

	if (missing) {
		print_message("SKIP (%s)\n", missing);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
