/* SPDX-License-Identifier: MIT */
/*
 * TCP over a tap with and without what a network card can do for it: the test
 * is the guest's stack, made by hand, and this host's kernel the other end. A
 * segment far larger than the wire takes goes out with its sum yet to be made,
 * and one comes in when the guest said that it may.
 */
#include <netinet/tcp.h>

#include "tests/unit/tap_fixture.h"

#define MSS   1000u
#define BYTES 40000u
#define FRAME 1514u /* on the wire, at most */

struct __attribute__((packed)) segment {
	struct net_header header;
	struct ether_header ether;
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t text[BYTES];
};

static struct segment out, in;
static uint32_t in_text; /* bytes of in.text */
static uint32_t next, seen; /* sequence numbers: ours, and what we have of it */
static int host = -1; /* the connection, as the host has it */

static uint8_t text_at(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* In segments of MSS, if it has more; the card makes the sums. */
static void send_segment(uint16_t flags, uint32_t text)
{
	const size_t headers =
		offsetof(struct segment, text) - sizeof(struct net_header);
	const size_t tcp = sizeof(out.tcp) + text;

	out.header = (struct net_header){
		.flags = NET_NEEDS_CSUM,
		.gso_type = text > MSS ? NET_GSO_TCPV4 : NET_GSO_NONE,
		.gso_size = text > MSS ? MSS : 0,
		.hdr_len = (uint16_t)headers,
		.csum_start = sizeof(out.ether) + sizeof(out.ip),
		.csum_offset = offsetof(struct tcphdr, check),
	};
	out.ether = (struct ether_header){ .ether_dhost = { 2 },
					   .ether_type = htons(ETHERTYPE_IP) };
	out.ip = ip_header(IPPROTO_TCP, sizeof(out.ip) + tcp);
	out.tcp = (struct tcphdr){ .source = htons(PORT),
				   .dest = htons(PORT),
				   .seq = htonl(next),
				   .ack_seq = htonl(seen),
				   .doff = sizeof(out.tcp) / 4,
				   .window = htons(65535) };
	out.tcp.th_flags = (uint8_t)flags;
	out.tcp.check = pseudo(&out.ip, tcp);
	next += text;
	assert_int_equal(tap.ops->send(&tap, &out,
				       offsetof(struct segment, text) + text),
			 0);
}

/* The next segment of the host's that has all @flags. */
static void receive_segment(uint16_t flags)
{
	static uint8_t any[NET_PACKET_MAX];
	struct pollfd f = { .fd = tap.fd, .events = POLLIN };
	ssize_t n;

	do {
		memset(&in, 0, sizeof(in));
		assert_int_equal(poll(&f, 1, 60000), 1);
		n = tap.ops->receive(&tap, any, sizeof(any));
		assert_in_range(n, sizeof(struct net_header), sizeof(in));
		memcpy(&in, any, (size_t)n);
	} while (in.ip.protocol != IPPROTO_TCP ||
		 (in.tcp.th_flags & flags) != flags);
	in_text = ntohs(in.ip.tot_len) - 20u - in.tcp.doff * 4u;
}

static void connect_by_hand(int listener)
{
	next = 1000;
	seen = 0;
	send_segment(TH_SYN, 0);
	receive_segment(TH_SYN | TH_ACK);
	next++;
	assert_int_equal(ntohl(in.tcp.ack_seq), next);
	seen = ntohl(in.tcp.seq) + 1;
	send_segment(TH_ACK, 0);
	host = accept(listener, NULL, NULL);
	assert_true(host >= 0);
}

static int begin(void **state)
{
	const struct sockaddr_in at = address(HOST);
	const int mss = MSS;
	int listener;

	(void)state;
	tap_begin();
	for (uint32_t i = 0; i < BYTES; i++)
		out.text[i] = text_at(i);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss));
	assert_int_equal(bind(listener, (void *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	connect_by_hand(listener);
	close(listener);
	return 0;
}

static int end(void **state)
{
	const struct linger reset = { .l_onoff = 1 };

	(void)state;
	/* At once: the next test has the same ports. */
	setsockopt(host, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(host);
	return tap_end();
}

static void expect_text(const uint8_t *text, uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(text[i], text_at(from + i));
}

static void the_host_takes_a_large_segment(void **state)
{
	static uint8_t got[BYTES];

	(void)state;
	send_segment(TH_ACK | TH_PUSH, BYTES);
	assert_int_equal(recv(host, got, BYTES, MSG_WAITALL), BYTES);
	expect_text(got, 0, BYTES);
}

/* The host sends: how large its largest segment is. All of its text is what it
 * should be, and where no card is to make its sum, that is right. */
static uint32_t largest(uint64_t accepted)
{
	const uint32_t first = seen;
	uint32_t most = 0;

	assert_int_equal(tap.ops->offload(&tap, accepted), 0);
	assert_int_equal(send(host, out.text, BYTES, 0), BYTES);
	while (seen - first < BYTES) {
		receive_segment(TH_ACK);
		if (ntohl(in.tcp.seq) != seen)
			continue; /* sent again */
		expect_text((uint8_t *)&in.tcp + in.tcp.doff * 4, seen - first,
			    in_text);
		if (!accepted)
			assert_int_equal(fold(&in.tcp,
					      in.tcp.doff * 4u + in_text,
					      pseudo(&in.ip, in.tcp.doff * 4u +
								     in_text)),
					 0xffff);
		if (in_text > MSS)
			assert_int_equal(in.header.gso_type, NET_GSO_TCPV4);
		most = in_text > most ? in_text : most;
		seen += in_text;
		send_segment(TH_ACK, 0);
	}
	return most;
}

static void the_guest_takes_what_it_said_it_does(void **state)
{
	(void)state;
	assert_in_range(largest(0), 1, FRAME);
	assert_in_range(largest(NET_F_GUEST_CSUM | NET_F_GUEST_TSO4), FRAME + 1,
			BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_host_takes_a_large_segment,
						begin, end),
		cmocka_unit_test_setup_teardown(
			the_guest_takes_what_it_said_it_does, begin, end),
	};
	const char *missing = lack();

	if (missing) {
		print_message("SKIP (%s)\n", missing);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
