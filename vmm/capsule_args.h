/* SPDX-License-Identifier: MIT */
/* The command line of the run inside the capsule, from that of the outer. */
#ifndef VMM_CAPSULE_ARGS_H
#define VMM_CAPSULE_ARGS_H

#include "vmm/options.h"
#include "vmm/words.h"

/* Where the inner run finds things; tests/capsule/init makes the names. */
#define CAPSULE_PORTS  "/dev/capsule/"
#define CAPSULE_GUEST  "/guest"
#define CAPSULE_INITRD "/guest-initrd"
#define CAPSULE_SHARE  "/share%u" /* its number among --share's */
#define CAPSULE_STATS  "/run/stats"

/*
 * "run" and everything that makes the inner run do what @o asks for, as the
 * VM called @name: files and sockets become the capsule's, all else passes
 * through unchanged.
 */
void capsule_args(struct words *w, const struct run_options *o,
		  const char *name);

#endif
