/* SPDX-License-Identifier: MIT */
/* The program that knows NBD: twofold-nbd, in vmm/nbd/. It is found beside this
 * one, as the sample guest is, and ends with it. */
#ifndef VMM_NBD_HELPER_H
#define VMM_NBD_HELPER_H

#include <stdint.h>

#include "ept/nbd_wire.h"
#include "vmm/options.h"

/* What it says first, over lane 0. */
struct nbd_hello {
	uint32_t good; /* connected, to an export that will do */
	char text[200]; /* why not, one line */
};

/*
 * Start it for the tier @s of at least @bytes, and wait until it is connected.
 * *link is for tier_nbd_create. False: one line in *why.
 */
bool nbd_helper_start(struct nbd_link *link, const struct swap_option *s,
		      uint64_t bytes, struct complaint *why);

#endif
