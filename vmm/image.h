/* SPDX-License-Identifier: MIT */
/*
 * A guest image: an ELF64 file with a PVH entry. Only its headers and notes
 * are read here; its pages are loaded at first touch, by reads, never by mmap
 * (a file that shrinks would be a SIGBUS).
 */
#ifndef VMM_IMAGE_H
#define VMM_IMAGE_H

#include "vmm/options.h"
#include "vmm/ram.h"

#define IMAGE_SEGMENTS 16

struct image_segment {
	gpa_t at; /* p_paddr */
	uint64_t memory_bytes; /* p_memsz; what the file lacks is zeros */
	uint64_t file_offset, file_bytes;
};

struct image {
	int fd; /* open until image_close */
	bool lab; /* it asks for the lab device: see ABI_NOTE_LAB */
	uint32_t entry; /* PVH: guest-physical, 32-bit protected mode */
	struct image_segment segment[IMAGE_SEGMENTS];
	unsigned segments;
};

/*
 * Open and check the image at @path against RAM. Every segment lies in RAM
 * above the first MiB (the VMM's own structures lie below), none overlap, the
 * entry lies inside one. False: one line in *why, nothing is left open.
 */
bool image_open(struct image *im, const char *path, const struct ram *ram,
		struct complaint *why);
void image_close(struct image *im);

#endif
