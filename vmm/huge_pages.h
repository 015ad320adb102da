/* SPDX-License-Identifier: MIT */
/* The host's pool of huge pages, which page_size=2M takes guest RAM from. */
#ifndef VMM_HUGE_PAGES_H
#define VMM_HUGE_PAGES_H

#include "vmm/options.h"

/* How many of 2 MiB are free; -1: this kernel has none. */
long huge_pages_free(void);

/* Are there enough for @bytes? False: *why says what to do. In the capsule,
 * whose host is ours, they are made. */
bool huge_pages_ready(uint64_t bytes, struct complaint *why);

#endif
