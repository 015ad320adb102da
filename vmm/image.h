/* SPDX-License-Identifier: MIT */
/*
 * A guest image and its initrd. Only headers and notes are read here; pages
 * are loaded at first touch, by reads, never by mmap (a file that shrinks would
 * be a SIGBUS). What formats there are: vmm/image.c.
 */
#ifndef VMM_IMAGE_H
#define VMM_IMAGE_H

#include <asm/bootparam.h>

#include "vmm/options.h"
#include "vmm/ram.h"

#define IMAGE_SEGMENTS 16 /* of the image */

struct image_segment {
	gpa_t at;
	uint64_t memory_bytes; /* what the file lacks is zeros */
	int fd; /* of the image or the initrd: */
	uint64_t file_offset, file_bytes;
};

/* How the guest is told about its machine: vmm/boot.c. */
enum boot_protocol { BOOT_PVH, BOOT_LINUX, BOOT_MULTIBOOT, BOOT_PROTOCOLS };

struct image {
	int fd, initrd; /* open until image_close; -1: none */
	enum boot_protocol protocol;
	bool lab; /* it asks for the lab device: see ABI_NOTE_LAB */
	bool linux_kernel; /* as far as one can see */
	uint32_t entry; /* guest-physical */
	struct image_segment segment[IMAGE_SEGMENTS + 1]; /* initrd's last */
	unsigned segments;
	gpa_t initrd_at;
	uint64_t initrd_bytes; /* 0: there is none */
	uint32_t initrd_max; /* the last address that it may have */
	struct setup_header setup; /* of BOOT_LINUX, as the file has it */
};

/*
 * Open and check the image at @path, and the initrd at @initrd (NULL: none),
 * against RAM. Every segment lies in RAM and clear of boot data (below 1 MiB:
 * vmm/boot.h), none overlap, the entry lies inside one. False: one
 * line in *why, nothing is left open.
 */
bool image_open(struct image *im, const char *path, const char *initrd,
		const struct ram *ram, struct complaint *why);
void image_close(struct image *im);

#endif
