/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "tests/guest/net/frames.h"

#define ETHERNET ((uint32_t)sizeof(struct net_header))
#define AFTER(field)                                       \
	((uint32_t)(offsetof(struct packet, field) +       \
		    sizeof(((struct packet *)0)->field)) - \
	 ETHERNET)
#define PORT 4000u /* ours */

enum { TYPE_IP = 0x0800, TYPE_ARP = 0x0806, ICMP = 1, UDP = 17 };

static uint16_t swap(uint32_t v)
{
	return (uint16_t)((v & 0xff) << 8 | (v >> 8 & 0xff));
}

static void copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
	while (n--)
		*to++ = *from++;
}

static int same(const uint8_t *a, const uint8_t *b, uint32_t n)
{
	while (n && *a == *b)
		a++, b++, n--;
	return !n;
}

/* RFC 1071, of an even number of bytes. */
static uint16_t checksum(const void *at, uint32_t n)
{
	const uint8_t *b = at;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i += 2)
		sum += b[i] | (uint32_t)b[i + 1] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void clear(struct packet *p)
{
	uint8_t *b = (uint8_t *)p;

	for (uint32_t i = 0; i < sizeof(*p); i++)
		b[i] = 0;
}

uint32_t frame_arp(struct packet *p, const uint8_t mac[6], uint32_t from,
		   uint32_t to)
{
	clear(p);
	for (unsigned i = 0; i < 6; i++)
		p->to[i] = 0xff;
	copy(p->from, mac, 6);
	p->type = swap(TYPE_ARP);
	p->arp.hardware = swap(1);
	p->arp.protocol = swap(TYPE_IP);
	p->arp.lengths[0] = 6;
	p->arp.lengths[1] = 4;
	p->arp.operation = swap(1);
	copy(p->arp.from_mac, mac, 6);
	p->arp.from = from;
	p->arp.to = to;
	return AFTER(arp);
}

void frame_begin(struct packet *p, const uint8_t from_mac[6],
		 const uint8_t to_mac[6], uint32_t from, uint32_t to)
{
	clear(p);
	copy(p->to, to_mac, 6);
	copy(p->from, from_mac, 6);
	p->type = swap(TYPE_IP);
	p->ip.version = 0x45;
	p->ip.hops = 64;
	p->ip.from = from;
	p->ip.to = to;
}

/* The IP header, now that the rest is known: the frame's bytes. */
static uint32_t finish(struct packet *p, uint8_t protocol, uint32_t bytes)
{
	p->ip.protocol = protocol;
	p->ip.bytes = swap(20 + 8 + bytes);
	p->ip.sum = 0;
	p->ip.sum = checksum(&p->ip, 20);
	return AFTER(ip.udp) + bytes;
}

uint32_t frame_ping(struct packet *p)
{
	p->ip.icmp.type = 8;
	p->ip.icmp.id = 1;
	for (unsigned i = 0; i < 32; i++)
		p->ip.payload[i] = (uint8_t)i;
	p->ip.icmp.sum = checksum(&p->ip.icmp, 8 + 32);
	return finish(p, ICMP, 32);
}

uint32_t frame_datagram(struct packet *p, uint32_t port, uint32_t bytes,
			uint32_t seed)
{
	p->ip.udp.from = swap(PORT);
	p->ip.udp.to = swap(port);
	p->ip.udp.bytes = swap(8 + bytes);
	for (uint32_t i = 0; i < bytes; i++)
		p->ip.payload[i] = (uint8_t)(seed + i * 7);
	return finish(p, UDP, bytes);
}

int frame_is_arp_reply(const struct packet *p, uint32_t len, uint32_t who,
		       uint8_t mac[6])
{
	if (len < AFTER(arp) || p->type != swap(TYPE_ARP) ||
	    p->arp.operation != swap(2) || p->arp.from != who)
		return 0;
	copy(mac, p->arp.from_mac, 6);
	return 1;
}

static int same_kind(const struct packet *p, const struct packet *sent)
{
	if (p->ip.protocol == ICMP)
		return p->ip.icmp.type == 0 && p->ip.icmp.id == 1;
	return p->ip.udp.from == sent->ip.udp.to &&
	       p->ip.udp.to == sent->ip.udp.from &&
	       p->ip.udp.bytes == sent->ip.udp.bytes;
}

/* A short frame may come with padding. */
int frame_is_echo(const struct packet *p, uint32_t len,
		  const struct packet *sent, uint32_t sent_len)
{
	return len >= sent_len && p->type == sent->type &&
	       same(p->to, sent->from, 6) && p->ip.from == sent->ip.to &&
	       p->ip.to == sent->ip.from &&
	       p->ip.protocol == sent->ip.protocol && same_kind(p, sent) &&
	       same(p->ip.payload, sent->ip.payload, sent_len - AFTER(ip.udp));
}
