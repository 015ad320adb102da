/* SPDX-License-Identifier: MIT */
/*
 * A string of page references, read from a file and ready for replay. The file
 * is text, a reference a line, gzip allowed:
 *
 *     r 0x1a2b        a read of gfn 0x1a2b
 *     w 0x1a2c        a write
 *
 * or what `twofold run --trace` wrote (ept/trace.h): then its stage-2 faults
 * are the references.
 */
#ifndef VMM_REFERENCES_H
#define VMM_REFERENCES_H

#include "vmm/dense.h"
#include "vmm/options.h"

struct references {
	uint32_t *page; /* [n]; pages are numbered as they first come */
	size_t n, room;
	struct dense pages;
	/* Of a trace of twofold: */
	bool is_trace;
	uint32_t refs_ms; /* as in its header */
	uint64_t mapped; /* pages that were mapped, referenced or not */
	double seconds; /* from the first record to the last; 0: unknown */
};

/* Read @path. 0; 1 it cannot be read; 2 it makes no sense: then *why is one
 * line about it. references_free in any case. */
int references_read(struct references *r, const char *path,
		    struct complaint *why);
void references_free(struct references *r);

#endif
