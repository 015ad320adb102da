/* SPDX-License-Identifier: MIT */
/* A tap in a network namespace that ends with the test, its interface as the
 * host has it, and the link to it. */
#ifndef TESTS_UNIT_TAP_FIXTURE_H
#define TESTS_UNIT_TAP_FIXTURE_H

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "vmm/net.h"

#define HOST  0x0a090001u /* 10.9.0.1, */
#define GUEST 0x0a090002u /* and who is behind the tap */
#define PORT  4000

static char name[] = "t0";
static const struct net_option option = { .kind = NET_TAP, .tap = name };
static struct net_link tap;
static struct complaint why;

static inline void command(const char *text)
{
	assert_int_equal(system(text), 0);
}

static inline struct sockaddr_in address(uint32_t ip)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(PORT),
				     .sin_addr = { htonl(ip) } };
}

static inline void tap_begin(void)
{
	command("ip tuntap add dev t0 mode tap");
	command("ip addr add 10.9.0.1/24 dev t0");
	command("ip link set t0 address 02:00:00:00:00:00 up");
	command("ip neigh add 10.9.0.2 dev t0 nud permanent "
		"lladdr 02:00:00:00:00:07");
	if (!net_open(&tap, &option, &why))
		fail_msg("%s", why.text);
}

static inline int tap_end(void)
{
	tap.ops->close(&tap);
	return system("ip link del t0 2>/dev/null; true");
}

/* RFC 1071 over @n bytes, on top of @sum. */
static inline uint16_t fold(const void *at, size_t n, uint32_t sum)
{
	const uint8_t *b = at;

	for (size_t i = 0; i < n; i++)
		sum += (uint32_t)b[i] << (i % 2 * 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* What the sum of a protocol's @bytes behind @header begins with. */
static inline uint16_t pseudo(const void *header, size_t bytes)
{
	struct iphdr ip;

	memcpy(&ip, header, sizeof(ip));
	return fold(&ip.saddr, 8,
		    (uint32_t)htons((uint16_t)bytes) + htons(ip.protocol));
}

/* A header of a packet of @bytes in all, from the guest. */
static inline struct iphdr ip_header(uint8_t protocol, size_t bytes)
{
	struct iphdr ip = { .version = 4,
			    .ihl = 5,
			    .ttl = 9,
			    .protocol = protocol,
			    .tot_len = htons((uint16_t)bytes),
			    .saddr = htonl(GUEST),
			    .daddr = htonl(HOST) };

	ip.check = (uint16_t)~fold(&ip, sizeof(ip), 0);
	return ip;
}

/* NULL, or what is missing. */
static inline const char *lack(void)
{
	if (geteuid())
		return "not root";
	if (access("/dev/net/tun", R_OK | W_OK))
		return "no /dev/net/tun";
	return unshare(CLONE_NEWNET) ? "no network namespaces" : NULL;
}

#endif
