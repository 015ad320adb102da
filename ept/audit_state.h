/* SPDX-License-Identifier: MIT */
/* The inside of the auditor, for ept/audit*.c only. */
#ifndef EPT_AUDIT_STATE_H
#define EPT_AUDIT_STATE_H

#include "ept/audit.h"
#include "ept/state.h"

#define AUDIT_CHUNK 512 /* pages looked at under one hold of the lock */

/* A slot, and the page that names it. */
struct name {
	slot_t slot;
	gfn_t gfn;
};

struct auditor {
	struct stage2 *s;
	struct audit_report *r;
	int pagemap; /* -1: the kernel hides it */
	struct name *name;
	size_t names, room;
	bool in_memfd[AUDIT_CHUNK], stale[AUDIT_CHUNK];
	uint64_t in_pagemap[AUDIT_CHUNK];
};

/* One check of page @g. False: the first divergence, written down. The lock is
 * held. */
bool audit_agree(struct auditor *a, enum audit_check check, gfn_t g,
		 uint64_t want, uint64_t got);

/* audit_whole.c: what concerns all pages together, once each was looked at and
 * a->name is complete. 0; -EBADMSG it diverged; -ENOMEM. */
int audit_whole(struct auditor *a);

#endif
