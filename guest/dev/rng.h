/* SPDX-License-Identifier: MIT */
#ifndef GUEST_DEV_RNG_H
#define GUEST_DEV_RNG_H

#include <stddef.h>
#include <stdint.h>

/*
 * Random bytes to[@n], in the kernel's image, direct map or stack: how many, or
 * -ENODEV without a source. Sleeps.
 */
int64_t rng_read(void *to, size_t n);

#endif
