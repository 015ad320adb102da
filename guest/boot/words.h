/* SPDX-License-Identifier: MIT */
/*
 * The command line:  [KERNEL OPTIONS --] PROGRAM [ARGUMENTS]
 *
 * Words are separated by blanks; there is no quoting. QEMU's microvm appends
 * words that begin with "virtio_mmio.": they are not ours.
 */
#ifndef GUEST_BOOT_WORDS_H
#define GUEST_BOOT_WORDS_H

#define WORDS 128

struct words {
	const char *option[WORDS];
	int options;
	const char *argument[WORDS + 1]; /* ends in a NULL, like argv */
	int arguments;
};

/* Cut up @line in place. */
void words_split(struct words *w, char *line);

#endif
