/* SPDX-License-Identifier: MIT */
/*
 * Driver of the balloon (virtio 1.2, 5.5), a kernel thread. Frames in it are
 * the hypervisor's: it may have asked for them to lower the guest's use of the
 * host, and what they held is gone. When the guest runs short it takes some
 * back without asking. Free blocks are *reported*: they stay ours, but the host
 * need not keep their bytes.
 */
#ifndef GUEST_DEV_BALLOON_H
#define GUEST_DEV_BALLOON_H

#include <stdbool.h>
#include <stdint.h>

/* The guest is short of memory: give some frames back. False: none there. */
bool balloon_relieve(void);

/* Report the largest free blocks: how many frames that were. Sleeps. */
uint64_t balloon_report(void);

#endif
