/* SPDX-License-Identifier: MIT */
/*
 * Checked access to guest memory by guest-physical address: for devices, the
 * loader and the walk of guest tables. A page that is not in memory is brought
 * in, as if the guest had touched it, but counts as no fault. A device copies
 * what the guest wrote once, then checks the copy; it keeps no host pointer.
 */
#ifndef EPT_GUEST_MEM_H
#define EPT_GUEST_MEM_H

#include <stddef.h>

#include "ept/addr.h"

struct stage2;

/*
 * Copy @len bytes out of or into guest memory at @at. Any thread, no lock
 * held; may block on swap. False, with nothing promised about the bytes, when
 * a part of the range is no RAM (nor, for reads, a share), or its page cannot
 * be had.
 */
bool guest_read(struct stage2 *s, gpa_t at, void *to, size_t len);
bool guest_write(struct stage2 *s, gpa_t at, const void *from, size_t len);

#endif
