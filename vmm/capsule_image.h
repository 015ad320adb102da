/* SPDX-License-Identifier: MIT */
/* What the capsule is made of, where that is found, and its initrd. */
#ifndef VMM_CAPSULE_IMAGE_H
#define VMM_CAPSULE_IMAGE_H

#include <limits.h>

#include "vmm/options.h"
#include "vmm/words.h"

#define CAPSULE_QEMU "qemu-system-x86_64"

struct capsule_image {
	char kernel[PATH_MAX]; /* vmlinuz */
	char initrd[PATH_MAX]; /* a cpio archive */
	char program[PATH_MAX]; /* twofold, linked statically */
};

/* The path of QEMU. False: one line in *why. */
bool capsule_find_qemu(char path[PATH_MAX], struct complaint *why);

/* The parts that `make capsule` and `make` built. False: one line in *why. */
bool capsule_find_image(struct capsule_image *im, struct complaint *why);

/*
 * A memfd with the initrd: that of @im, the program, the guest image @guest,
 * what @o shares, and /args, which tells tests/capsule/init what to run and
 * which @mark ends a stream. -1: one line in *why.
 */
int capsule_pack(const struct capsule_image *im, const struct run_options *o,
		 const char *guest, const struct words *args, const char *mark,
		 struct complaint *why);

#endif
