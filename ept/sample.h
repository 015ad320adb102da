/* SPDX-License-Identifier: MIT */
/*
 * Spatial sampling (SHARDS: Waldspurger, Park, Garthwaite and Ahmad, FAST
 * 2015): a frame is in the sample always or never, by its hash, and every
 * reference to it counts. What a memory of a 2^n-th of the frames does with the
 * sample is then an image, 2^n times smaller, of what the whole does with all.
 *
 * The hash is a bijection on the numbers of k bits, 2^k >= frames. So the hash
 * of a sampled frame, being below a threshold, is its number in the sample, and
 * arrays for the sample need no table to look it up.
 *
 *     frame --hash--> 0 . . . below . . . . . . . . . . 2^k
 *                     sampled '-------- not sampled
 */
#ifndef EPT_SAMPLE_H
#define EPT_SAMPLE_H

#include "ept/addr.h"

/* What was counted in the sample, and what that makes for all frames. */
struct sampled_count {
	uint64_t sampled, estimate;
};

struct sample {
	unsigned bits; /* k */
	uint64_t below;
	uint64_t frames, sampled; /* of [0, frames), how many are sampled */
};

/* Multiplications with folds between them: each high bit depends on all bits
 * of the frame, and each step can be undone. The sum is for frame 0, which would
 * hash to 0 and be in every sample. */
static inline uint64_t sample_hash(const struct sample *s, uint64_t h)
{
	const uint64_t mask = (UINT64_C(1) << s->bits) - 1;
	const unsigned fold = s->bits / 2 + 1;

	h = (h + UINT64_C(0x632be59bd9b4e019)) & mask;
	h = h * UINT64_C(0x9e3779b97f4a7c15) & mask;
	h = (h ^ h >> fold) * UINT64_C(0xd6e8feb86659fd93) & mask;
	return (h ^ h >> fold) * UINT64_C(0xbf58476d1ce4e5b9) & mask;
}

/* Is @f sampled? *number is its number then, less than s->below. */
static inline bool sample_has(const struct sample *s, frame_t f,
			      frame_t *number)
{
	number->v = sample_hash(s, f.v);
	return number->v < s->below;
}

/* One frame in 2^@shift of [0, @frames), @frames <= 2^40. Looks at each. */
static inline struct sample sample_of(uint64_t frames, unsigned shift)
{
	struct sample s = { .frames = frames };
	frame_t number;

	while (UINT64_C(1) << s.bits < frames)
		s.bits++;
	s.below = shift < s.bits ? UINT64_C(1) << (s.bits - shift) : 1;
	for (frame_t f = { 0 }; f.v < frames; f.v++)
		s.sampled += sample_has(&s, f, &number);
	return s;
}

/* How many frames of the sample stand for @n of all. */
static inline uint64_t sample_scaled(const struct sample *s, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)n * s->sampled + s->frames / 2) /
			  s->frames);
}

/* How many of all @n of the sample stand for. */
static inline struct sampled_count sample_estimate(const struct sample *s,
						   uint64_t n)
{
	uint64_t all = s->sampled ? (uint64_t)((unsigned __int128)n *
					       s->frames / s->sampled)
				  : 0;

	return (struct sampled_count){ n, all };
}

#endif
