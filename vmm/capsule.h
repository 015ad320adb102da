/* SPDX-License-Identifier: MIT */
/*
 * The capsule: `twofold run` where there is no usable /dev/kvm. This same
 * program runs inside a small Linux under QEMU's TCG, which emulates AMD SVM
 * with nested paging; from outside it looks as if it ran here.
 *
 *      outer twofold                         QEMU            inner twofold
 *   stdin, stdout, stderr   <--sockets-->  virtio-serial  <-->  fd 0, 1, 2
 *   --stats, --trace files  <--sockets--   virtio-serial  <--  /dev/capsule/..
 *   NAME.sock               ------------>  virtio-serial  <-->  --api-socket
 *   unnamed file in DIR     ------------>  virtio-blk     <-->  --swap file=..
 *   memfd: initrd + twofold + guest + arguments  ----------->  /init
 *
 * `make capsule` builds the image (tests/capsule); program, guest and
 * arguments are appended to it at launch as a second cpio archive.
 */
#ifndef VMM_CAPSULE_H
#define VMM_CAPSULE_H

#include "vmm/options.h"

/*
 * Run @o in the capsule with the guest image @kernel (o->kernel, or the path
 * of the sample guest), from start to end. The exit status of `twofold run`:
 * the inner run's, or 125 after one line on stderr.
 */
int capsule_run(const struct run_options *o, const char *kernel);

/* Is everything there that capsule_run needs? False: what to do, in *why. */
bool capsule_usable(struct complaint *why);

#endif
