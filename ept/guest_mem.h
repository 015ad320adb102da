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
 * be had. The guest sees the accesses of a thread in the order of its calls:
 * each takes a lock, which on x86 is a full barrier.
 */
bool guest_read(struct stage2 *s, gpa_t at, void *to, size_t len);
bool guest_write(struct stage2 *s, gpa_t at, const void *from, size_t len);

/*
 * Have the page of @at in its frame until guest_unpin: *to is where the host
 * finds the byte at @at, and those behind it up to the end of the page. For
 * who moves much at a time; pinned pages take their part of the guest's cap,
 * so few at once and not for long. As guest_read, or as guest_write with
 * @write. 0; -EFAULT no RAM; -EHWPOISON; -EBUSY too much is pinned; else why the
 * page cannot be had.
 */
int guest_pin(struct stage2 *s, gpa_t at, bool write, void **to);
/*
 * The same for as long as the host takes for something: -EBUSY already when a
 * quarter of the cap is pinned, so that the rest can come and go meanwhile. Who
 * holds nothing may then pin one page all the same; others give back first.
 */
int guest_hold(struct stage2 *s, gpa_t at, bool write, void **to);
void guest_unpin(struct stage2 *s, gpa_t at);

/* Is all of [at, at + len) RAM? */
bool guest_has(struct stage2 *s, gpa_t at, uint64_t len);

enum guest_gift {
	GUEST_BALLOONED, /* it was asked for memory */
	GUEST_REPORTED_FREE, /* it says by itself what it does not need */
	/* The same, but it may use it again at any time: only what nobody has
	 * used since guest_hints_begin goes. */
	GUEST_HINTED
};

/*
 * From now on it is known which pages the guest, or a device, uses: all of
 * memory is unmapped for that, 0.1 us a page, and whoever uses a page has a
 * minor fault. False: no memory, or paging is off. No lock held; one thread at
 * a time calls these two.
 */
bool guest_hints_begin(struct stage2 *s);
void guest_hints_end(struct stage2 *s);

/*
 * The guest gives up what its pages inside [at, at + len) hold: their frames
 * and slots are free from now on, and who reads there next finds zeros. What
 * is no RAM, lies in the range only in part, is pinned or poisoned stays.
 * Returns how many pages came out of memory. Any thread, no lock held; waits
 * for pages that are being moved.
 */
uint64_t guest_discard(struct stage2 *s, gpa_t at, uint64_t len,
		       enum guest_gift why);

#endif
