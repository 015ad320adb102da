/* SPDX-License-Identifier: MIT */
/*
 * OPT, the yardstick: the fewest misses any policy could have had. It must
 * know the whole string in advance, so it is no struct policy.
 */
#ifndef EPT_OPT_H
#define EPT_OPT_H

#include <stddef.h>
#include <stdint.h>

struct opt; /* one string of references, looked through for its future */

/* For the string frame[0] to frame[@n - 1] of pages [0, @frames). 0; -ENOMEM;
 * -E2BIG: more references than 32 bits number. */
int opt_create(struct opt **out, const uint32_t *frame, size_t n,
	       uint64_t frames);
void opt_destroy(struct opt *o);

/* How many misses it has with @capacity >= 1 frames. */
uint64_t opt_misses(struct opt *o, uint64_t capacity);

#endif
