/* SPDX-License-Identifier: MIT */
/* The files that guest memory shares with other VMs: --share, and where each
 * lies. */
#ifndef VMM_SHARE_H
#define VMM_SHARE_H

#include "ept/stage2.h"
#include "vmm/options.h"
#include "vmm/ram.h"

struct shares {
	struct shared_file {
		struct share *share;
		gpa_t base;
		uint64_t bytes; /* of guest memory: whole pages */
		const char *path;
	} file[STAGE2_SHARES];
	unsigned n;
};

/*
 * Open what --share names and find each its place: where it says, else above
 * RAM and all before it, in [4 GiB, 256 TiB). False: one line in *why, and
 * nothing stays open. A file that cannot be shared with others is said on
 * stderr, and used all the same.
 */
bool shares_open(struct shares *s, const struct run_options *o,
		 const struct ram *ram, struct complaint *why);
void shares_close(struct shares *s);

/* The one that [@at, @at + @len) lies in, or NULL. */
const struct shared_file *shares_find(const struct shares *s, gpa_t at,
				      uint64_t len);

#endif
