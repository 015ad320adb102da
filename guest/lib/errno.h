/* SPDX-License-Identifier: MIT */
/* Linux's numbers, as far as they are used here. */
#pragma once

enum {
	EPERM = 1,
	ENOENT = 2,
	ESRCH = 3,
	EINTR = 4,
	EIO = 5,
	E2BIG = 7,
	ENOEXEC = 8,
	EBADF = 9,
	ECHILD = 10,
	EAGAIN = 11,
	ENOMEM = 12,
	EACCES = 13,
	EFAULT = 14,
	EEXIST = 17,
	ENODEV = 19,
	ENOTDIR = 20,
	EISDIR = 21,
	EINVAL = 22,
	EMFILE = 24,
	EFBIG = 27,
	ENOSPC = 28,
	EROFS = 30,
	EMLINK = 31,
	EPIPE = 32,
	ENAMETOOLONG = 36,
	ENOSYS = 38,
	ENOTEMPTY = 39
};
