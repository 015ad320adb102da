/* SPDX-License-Identifier: MIT */
/*
 * --balloon auto: how large a balloon should be, by how its guest and the host
 * feel. Every VM decides for itself; that they share a host is what moves
 * memory between them: a guest in need takes it, the host runs short, and the
 * guests that have some to spare give it.
 *
 *   the guest is in need   it reads pages back, or has little memory left:
 *                          the balloon gives, whatever the host says; the
 *                          pager is behind it
 *   the host is short      the guest gives a quarter of what it can spare
 *   the host has plenty    the balloon gives slowly: nobody else wants it
 *   else                   nothing moves, or two guests would swing
 *
 * Pure: a step sees a second of both and answers with a target.
 */
#ifndef VMM_BALLOON_AUTO_H
#define VMM_BALLOON_AUTO_H

#include <stdint.h>

#include "vmm/host_memory.h"

#define BALLOON_AUTO_STEP_MS 1000

/* Bytes, but for pages_back. */
struct balloon_second {
	uint64_t ram, given; /* the guest's; of it in the balloon */
	uint64_t available; /* without paging anything out, says the guest */
	uint64_t pages_back; /* that it read from its own disks this second */
	struct host_memory host;
};

/* What the guest is to give from now on, bytes. */
uint64_t balloon_auto_step(const struct balloon_second *t);

#endif
