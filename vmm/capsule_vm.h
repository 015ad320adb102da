/* SPDX-License-Identifier: MIT */
/* The virtual machine around the capsule: QEMU, and what it is connected to. */
#ifndef VMM_CAPSULE_VM_H
#define VMM_CAPSULE_VM_H

#include <limits.h>
#include <sys/types.h>

#include "vmm/options.h"
#include "vmm/words.h"

/* Serial ports, a stream each, seen from the inner run. */
enum capsule_port {
	PORT_IN, /* its stdin */
	PORT_OUT, /* its stdout */
	PORT_ERR, /* its stderr */
	PORT_STATS,
	PORT_TRACE,
	PORT_EXIT, /* its exit status, a number and a newline */
	PORTS
};

struct capsule_vm {
	char qemu[PATH_MAX]; /* the program */
	const char *kernel; /* vmlinuz */
	uint64_t memory_bytes;
	int initrd;
	int port[PORTS]; /* QEMU's end of a socket pair each */
	int ctl; /* the control API */
	int log; /* takes the kernel's messages and QEMU's */
	struct {
		int fd; /* -1: swap i is no file or device */
		bool block; /* a device, else a file */
		const char *uri; /* an NBD server; NULL: it is none */
		unsigned timeout_s; /* how long that may be away */
	} swap[MAX_SWAPS];
	struct {
		int fd; /* -1: there is no disk i */
		bool block, readonly;
	} disk[MAX_DISKS];
	unsigned nets;
	int tap[MAX_NETS]; /* -1: QEMU's own network, by libslirp */
};

/* QEMU's command line for @v. */
void capsule_vm_args(struct words *w, const struct capsule_vm *v);

/*
 * Start QEMU, which inherits the file descriptors of @v and no others, in a
 * process group of its own; it is killed when this process ends. Its id, or
 * -errno. That it could not be executed is known only by its log.
 */
pid_t capsule_vm_start(const struct capsule_vm *v);

#endif
