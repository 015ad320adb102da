/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_MAY_WATCH_H
#define TESTS_UNIT_MAY_WATCH_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "ept/uffd.h"

/* May this process have a userfaultfd? If not, says SKIP. */
static inline bool may_watch(void)
{
	int uffd = uffd_open();

	if (uffd == -EPERM || uffd == -EACCES) {
		printf("SKIP (userfaultfd is forbidden here)\n");
		return false;
	}
	close(uffd);
	return true;
}

#endif
