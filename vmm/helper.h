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

/*
 * For a child that fork has just made and that will be another program: no
 * signal is blocked, what the terminal does is not for it, and it ends with
 * the thread of @parent that made it.
 */
void helper_begin(pid_t parent);

/* Kill it and wait for its end: it has nothing to save. */
void helper_end(pid_t helper);

#endif
