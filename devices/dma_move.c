/* SPDX-License-Identifier: MIT */
#include "devices/dma_move.h"

#include <stddef.h>
#include <string.h>

#include "guest/abi.h"

static void copy(struct dma_sum *s, void *to, const void *from, size_t len,
		 uint32_t done, uint64_t value)
{
	(void)s;
	(void)done;
	(void)value;
	memmove(to, from, len); /* both may be in the same page */
}

static void fill(struct dma_sum *s, void *to, const void *from, size_t len,
		 uint32_t done, uint64_t value)
{
	uint8_t *bytes = to;
	const unsigned turn = done % 8 * 8;

	(void)s;
	(void)from;
	if (turn)
		value = value >> turn | value << (64 - turn);
	for (; len >= sizeof(value); len -= sizeof(value)) {
		memcpy(bytes, &value, sizeof(value));
		bytes += sizeof(value);
	}
	memcpy(bytes, &value, len);
}

static uint16_t fold(uint64_t words)
{
	while (words >> 16)
		words = (words & 0xffff) + (words >> 16);
	return (uint16_t)words;
}

/* Of 16-bit words as they lie in memory; a last odd byte is followed by 0. */
static uint16_t sum_of(const uint8_t *bytes, size_t len)
{
	uint64_t words = 0;
	uint32_t four = 0;

	for (; len >= sizeof(four); len -= sizeof(four)) {
		memcpy(&four, bytes, sizeof(four));
		words += four; /* two words at once: fold adds them up */
		bytes += sizeof(four);
	}
	four = 0;
	memcpy(&four, bytes, len);
	return fold(words + four);
}

/* A piece that begins with the second half of a word has all its bytes in the
 * other half (RFC 1071, section 2 B). */
static void checksum(struct dma_sum *s, void *to, const void *from, size_t len,
		     uint32_t done, uint64_t value)
{
	uint16_t sum = sum_of(from, len);

	(void)to;
	(void)done;
	(void)value;
	s->words += s->odd ? __builtin_bswap16(sum) : sum;
	s->odd ^= len & 1;
}

uint16_t dma_sum_result(const struct dma_sum *s)
{
	return (uint16_t)~fold(s->words);
}

static const struct dma_move moves[] = {
	[DMA_COPY] = { true, true, copy },
	[DMA_FILL] = { false, true, fill },
	[DMA_CHECKSUM] = { true, false, checksum },
};

const struct dma_move *dma_move_of(unsigned operation)
{
	if (operation >= sizeof(moves) / sizeof(moves[0]) ||
	    !moves[operation].move)
		return NULL;
	return &moves[operation];
}
