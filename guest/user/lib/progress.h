/* SPDX-License-Identifier: MIT */
/* How far a program is, for who watches the machine from outside. */
#ifndef GUEST_USER_LIB_PROGRESS_H
#define GUEST_USER_LIB_PROGRESS_H

#include "guest/abi.h"
#include "guest/cpu/cpu.h"
#include "guest/user/lib/sys.h"

/* A tenth of a second to 30 ms: telling costs some exits. */
#define PROGRESS_TICKS (1ul << 27)

struct progress {
	uint64_t done, told; /* what was not told yet; the TSC when it was */
};

/* Tell all that was done. At the end, too: then the sum is exact. */
static inline void progress_tell(struct progress *p, uint64_t now)
{
	sys_lab(LAB_PROGRESS, p->done, NULL);
	*p = (struct progress){ .told = now };
}

/* @n more are done. */
static inline void progress(struct progress *p, uint64_t n)
{
	uint64_t now = rdtsc();

	p->done += n;
	if (now - p->told >= PROGRESS_TICKS)
		progress_tell(p, now);
}

#endif
