/* SPDX-License-Identifier: MIT */
#ifndef VMM_BESIDE_H
#define VMM_BESIDE_H

#include <limits.h>
#include <stdbool.h>

/* The path of the readable file @name beside this program or, for builds in a
 * folder of their own, above. False: there is none. */
bool beside_find(char path[PATH_MAX], const char *name);

#endif
