/* SPDX-License-Identifier: MIT */
/* What programs need of chance: all of it follows from seeds. */
#pragma once

#include <stdint.h>

/* A bijection of 64 bits in which every bit depends on every bit. */
static inline uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9;
	x ^= x >> 27;
	x *= 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/*
 * A permutation of [0, @count), one for each @key: a bijection of the next
 * power of two, repeated until it lands inside (cycle walking).
 */
static inline uint64_t permute(uint64_t n, uint64_t count, uint64_t key)
{
	unsigned bits = count > 1 ? 64 - __builtin_clzl(count - 1) : 1;
	uint64_t mask = ~0ul >> (64 - bits);
	unsigned half = (bits + 1) / 2;

	do {
		n = (n * 0x9e3779b97f4a7c15 + key) & mask;
		n ^= n >> half;
		n = n * 0xbf58476d1ce4e5b9 & mask;
		n ^= n >> half;
	} while (n >= count);
	return n;
}
