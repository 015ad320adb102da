/* SPDX-License-Identifier: MIT */
/*
 * net.elf: a guest that is a network driver and just enough of a host. Its
 * command line is OWN PEER PORT COUNT: it asks for PEER's Ethernet address,
 * pings it, sends COUNT datagrams of growing size to PORT there, each of which
 * must come back as it was, and ends with status 0, or with the number of the
 * step that failed. A buffer of its holds a fragment of a packet only.
 */
#include "devices/virtio_net.h"
#include "guest/boot/pvh.h"
#include "tests/guest/net/frames.h"
#include "tests/guest/virtio/driver.h"

#define BUFFER 256u
#define SPINS  1000000u
#define TRIES  20 /* packets of others in a row */

int main(const struct hvm_start_info *info);

static struct driver net;
static struct ring ring[2]; /* receive, transmit */
static uint8_t buffer[RING][BUFFER];
static uint16_t seen; /* used buffers of ring[0] */
static struct packet out, in;
static uint32_t in_len; /* of its frame */
static uint8_t own_mac[6], peer_mac[6];
static uint32_t own, peer, port, count;

static uint32_t number(const char **text)
{
	uint32_t n = 0;

	while (**text >= '0' && **text <= '9')
		n = n * 10 + (uint32_t)(*(*text)++ - '0');
	while (**text == ' ')
		++*text;
	return n;
}

/* Four numbers with dots between, in network order. */
static uint32_t address(const char **text)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < 4; i++) {
		at |= number(text) << 8 * i;
		*text += **text == '.';
	}
	return at;
}

static void lend(uint16_t i)
{
	ring[0].desc[i] = (struct vq_desc){ (uintptr_t)buffer[i], BUFFER,
					    VQ_DESC_WRITE, 0 };
	driver_offer(&ring[0], i);
}

static void start(void)
{
	const volatile uint8_t *config;

	driver_start(&net, VIRTIO_ID_NET,
		     NET_F_MAC | NET_F_STATUS | NET_F_MRG_RXBUF, ring, 2);
	config = (const volatile uint8_t *)&net.reg[VIRTIO_CONFIG / 4];
	for (unsigned i = 0; i < 6; i++)
		own_mac[i] = config[i];
	want(config[6] & NET_LINK_UP, 40, "a link that is up");
	for (uint16_t i = 0; i < RING; i++)
		lend(i);
}

static void send(uint32_t frame)
{
	ring[1].desc[0] =
		(struct vq_desc){ (uintptr_t)&out,
				  (uint32_t)sizeof(out.header) + frame, 0, 0 };
	driver_offer(&ring[1], 0);
	driver_wait(&net, 1, &ring[1]);
}

/* The next buffer's bytes to @to; how many. */
static uint32_t take_buffer(uint8_t *to)
{
	const struct vq_used *u = &ring[0].used.ring[seen % RING];
	uint16_t head;
	uint32_t len;

	driver_wait_past(&ring[0], seen++);
	head = (uint16_t)u->head;
	len = u->len;
	want(head < RING && len <= BUFFER, 41, "a buffer of ours");
	for (uint32_t i = 0; i < len; i++)
		to[i] = buffer[head][i];
	lend(head);
	return len;
}

/* The next packet, put together. */
static void receive(void)
{
	uint8_t *to = (uint8_t *)&in;
	uint32_t len = take_buffer(to);

	want(len > sizeof(in.header), 42, "a header");
	for (unsigned i = 1; i < in.header.num_buffers; i++) {
		want(len <= sizeof(in) - BUFFER, 43, "no more than was sent");
		len += take_buffer(to + len);
	}
	in_len = len - (uint32_t)sizeof(in.header);
	driver_kick(&net, 0);
}

/* Does anything come soon? */
static int comes(void)
{
	for (unsigned i = 0; i < SPINS; i++) {
		if (ring[0].used.idx != seen)
			return 1;
		__asm__ volatile("pause");
	}
	return 0;
}

/* A tap that has just been attached to may lose the answer. */
static void ask_who(void)
{
	for (unsigned i = 0; i < TRIES; i++) {
		send(frame_arp(&out, own_mac, own, peer));
		while (comes()) {
			receive();
			if (frame_is_arp_reply(&in, in_len, peer, peer_mac))
				return;
		}
	}
	want(0, 44, "an answer to who it is");
}

/* Send what is in @out to the peer: the same comes back, from there. */
static void echo(uint32_t len, uint32_t step, const char *what)
{
	send(len);
	for (unsigned i = 0; i < TRIES; i++) {
		receive();
		if (frame_is_echo(&in, in_len, &out, len))
			return;
	}
	want(0, step, what);
}

int main(const struct hvm_start_info *info)
{
	const char *words = (const char *)(uintptr_t)info->cmdline_at;

	own = address(&words);
	peer = address(&words);
	port = number(&words);
	count = number(&words);
	interrupts_on();
	start();
	ask_who();
	frame_begin(&out, own_mac, peer_mac, own, peer);
	echo(frame_ping(&out), 45, "an echo");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t bytes = i * 1400 / count;

		frame_begin(&out, own_mac, peer_mac, own, peer);
		echo(frame_datagram(&out, port, bytes, i), 46, "a datagram");
	}
	driver_check(&net, 47);
	say("all came back\n");
	end(0);
}
