/* SPDX-License-Identifier: MIT */
/*
 * The memory behind guest RAM: one memfd, mapped twice.
 *
 *     guest mapping   what KVM translates through and userfaultfd watches;
 *                     a page dropped from it faults at its next touch
 *     alias           where the hypervisor reads and writes the same frames
 *                     for devices, without faults of its own making
 *
 * What leaves and what comes is not touched through the alias: a page that no
 * other CPU can have in its TLB is unmapped and punched without a shootdown,
 * which costs more than all else together. Around the guest mapping lie guard
 * regions that nothing may touch. A frame is 4 KiB of the memfd or, when it
 * consists of huge pages, 2 MiB. All calls may come from any thread.
 */
#ifndef EPT_BACKING_H
#define EPT_BACKING_H

#include "ept/addr.h"

struct backing {
	int fd;
	uint64_t frames;
	unsigned shift; /* a frame is 2^shift bytes */
	uint8_t *guest, *alias;
	bool locked; /* the host cannot swap out what is mapped */
};

/* @shift: 12, or 21 for huge pages; @lock: keep the host from swapping them,
 * if it lets us. 0 or -errno (-ENOMEM, -EMFILE, ...); nothing stays on error. */
int backing_create(struct backing *b, uint64_t frames, unsigned shift,
		   bool lock);
void backing_destroy(struct backing *b);

/* Have frames [first, first + frames), of 4 KiB, be the beginning of the memory
 * object @fd from now on, read-only: what the memfd has there is not used. 0 or
 * -errno. */
int backing_lay(struct backing *b, frame_t first, uint64_t frames, int fd);

static inline void *backing_alias(const struct backing *b, frame_t f)
{
	return b->alias + (f.v << b->shift);
}

static inline uint8_t *backing_guest(const struct backing *b, frame_t f)
{
	return b->guest + (f.v << b->shift);
}

static inline uint64_t backing_span(const struct backing *b, uint64_t frames)
{
	return frames << b->shift;
}

/* Have frame @f, zeros, through the alias: 0, or -ENOSPC when the host has no
 * huge page for it. Touching it without asking could be a SIGBUS. */
int backing_take(struct backing *b, frame_t f);
/* Drop [first, first + frames) from the guest mapping; the bytes stay. */
int backing_unmap(struct backing *b, frame_t first, uint64_t frames);
/* Free the frames: both mappings lose them, their bytes are gone. */
int backing_punch(struct backing *b, frame_t first, uint64_t frames);
/* Copy the bytes of [first, first + frames) out. 0 or -errno. */
int backing_read(const struct backing *b, frame_t first, uint64_t frames,
		 void *to);

/* Bytes that the memfd really holds, as the kernel counts them. */
uint64_t backing_bytes(const struct backing *b);

#endif
