/* SPDX-License-Identifier: MIT */
/* A program of ours beside this one, found as the sample guest is, that does a
 * part of the work: it ends with this process, or when it is told. */
#ifndef VMM_HELPER_H
#define VMM_HELPER_H

#include <sys/types.h>

#include "vmm/words.h"

/*
 * Start the program of words->word[0], a path, with these words. The @n
 * descriptors at @fd stay open in it, standard input is /dev/null. Its pid, or
 * -errno. Ends with the calling thread, too.
 */
pid_t helper_start(const struct words *words, const int *fd, unsigned n);

/* Kill it and wait for its end: it has nothing to save. */
void helper_end(pid_t helper);

#endif
