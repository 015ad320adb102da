/* SPDX-License-Identifier: MIT */
/* Linux's numbers, as far as they are used here. */
#ifndef GUEST_LIB_ERRNO_H
#define GUEST_LIB_ERRNO_H

enum {
	ENOENT = 2,
	ENOMEM = 12,
	EFAULT = 14,
	EEXIST = 17,
	ENODEV = 19,
	EINVAL = 22,
	ENOSPC = 28,
	ENOSYS = 38
};

#endif
