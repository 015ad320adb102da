/* SPDX-License-Identifier: MIT */
/* Memory that somebody else uses on this host: a process that does nothing but
 * hold it and write to it, and is the first to go when memory is short. */
#ifndef VMM_PRESSURE_HOG_H
#define VMM_PRESSURE_HOG_H

#include <stdint.h>
#include <sys/types.h>

struct hog {
	pid_t pid; /* 0: there is none yet */
	_Atomic uint64_t *want; /* bytes; the process follows it */
	uint64_t left, most; /* bytes: what the host had at first; half of it */
};

/* How much there may be. 0 or -errno. */
int hog_init(struct hog *h);
/* Hold @bytes, h->most at the most; what it comes to. The process is made when
 * it is first needed, and may take a while to get there. */
uint64_t hog_set(struct hog *h, uint64_t bytes);
void hog_end(struct hog *h);

#endif
