/* SPDX-License-Identifier: MIT */
/* What the DMA engine can do with a piece of memory: one function an
 * operation. */
#ifndef DEVICES_DMA_MOVE_H
#define DEVICES_DMA_MOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The Internet checksum under way: the sum of 16-bit words, and whether its
 * last byte was the first half of one. */
struct dma_sum {
	uint64_t words;
	bool odd;
};

/* RFC 1071, section 1: the complement of the folded sum. */
uint16_t dma_sum_result(const struct dma_sum *s);

struct dma_move {
	bool reads, writes; /* does it need @from, @to? */
	/* The @len bytes that begin @done bytes behind the descriptor's first;
	 * @value is its source. */
	void (*move)(struct dma_sum *s, void *to, const void *from, size_t len,
		     uint32_t done, uint64_t value);
};

/* NULL: there is no such operation. */
const struct dma_move *dma_move_of(unsigned operation);

#endif
