/* SPDX-License-Identifier: MIT */
/*
 * Free-page hinting (virtio 1.2, 5.5.6.6), the device's side of its protocol:
 *
 *     we    hint_cmd_id = a new number       a round begins
 *     guest the number, pages, more pages    hints, if it is the round's number
 *     guest STOP                             it has no more
 *     we    hint_cmd_id = DONE               it may use its pages again
 *
 * The guest may use a hinted page again before DONE, and does when it is short
 * of memory, without telling us. What it then wrote is never lost: see
 * guest_hints_begin.
 *
 * All of this is done by the I/O thread.
 */
#ifndef DEVICES_BALLOON_HINTS_H
#define DEVICES_BALLOON_HINTS_H

#include "devices/virtio.h"

/* Numbers that begin no round (5.5.6.6). */
#define HINTS_STOP 0u
#define HINTS_DONE 1u

struct hints {
	uint32_t host; /* what hint_cmd_id says */
	uint32_t guest; /* the number that the guest sent last */
	uint32_t last; /* the last round's number; 0: there was none */
	bool heard; /* the guest has begun the round: pages are hints */
};

/* Begin a round, in place of one that is under way. */
void hints_begin(struct hints *h, struct virtio *v);
/* The guest has sent number @id. */
void hints_hear(struct hints *h, struct virtio *v, uint32_t id);
/* The driver is gone. */
void hints_reset(struct hints *h, struct virtio *v);

#endif
