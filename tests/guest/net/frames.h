/* SPDX-License-Identifier: MIT */
/* Frames of the four protocols that an echo takes: Ethernet, ARP (RFC 826),
 * IPv4 with ICMP (RFC 792), and UDP (RFC 768). IP addresses are in network
 * order. */
#ifndef TESTS_GUEST_NET_FRAMES_H
#define TESTS_GUEST_NET_FRAMES_H

#include <stdint.h>

#include "devices/virtio_net.h"

#define PAYLOAD 1472u /* the most with an IP packet of 1500 bytes */

struct __attribute__((packed)) packet {
	struct net_header header;
	uint8_t to[6], from[6];
	uint16_t type;
	union {
		struct __attribute__((packed)) {
			uint16_t hardware, protocol;
			uint8_t lengths[2];
			uint16_t operation;
			uint8_t from_mac[6];
			uint32_t from;
			uint8_t to_mac[6];
			uint32_t to;
		} arp;
		struct __attribute__((packed)) {
			uint8_t version, service;
			uint16_t bytes, id, fragment;
			uint8_t hops, protocol;
			uint16_t sum;
			uint32_t from, to;
			union {
				struct {
					uint8_t type, code;
					uint16_t sum, id, sequence;
				} icmp;
				struct {
					uint16_t from, to, bytes, sum;
				} udp;
			};
			uint8_t payload[PAYLOAD];
		} ip;
	};
	uint8_t more[256]; /* room to receive */
};

/* Each fills @p and returns the frame's bytes. */
uint32_t frame_arp(struct packet *p, const uint8_t mac[6], uint32_t from,
		   uint32_t to);
/* Ethernet and IP headers, for what follows. */
void frame_begin(struct packet *p, const uint8_t from_mac[6],
		 const uint8_t to_mac[6], uint32_t from, uint32_t to);
uint32_t frame_ping(struct packet *p);
/* To @port, @bytes that @seed decides. */
uint32_t frame_datagram(struct packet *p, uint32_t port, uint32_t bytes,
			uint32_t seed);

/* Is the frame of @len bytes @who's answer? Then its address is in @mac. */
int frame_is_arp_reply(const struct packet *p, uint32_t len, uint32_t who,
		       uint8_t mac[6]);
/* Is it the answer to @sent, of @sent_len bytes? */
int frame_is_echo(const struct packet *p, uint32_t len,
		  const struct packet *sent, uint32_t sent_len);

#endif
