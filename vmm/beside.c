/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/beside.h"

/* The folder of this program, without a slash at its end. */
static bool program_folder(char folder[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);

	if (n <= 0)
		return false;
	folder[n] = 0;
	*strrchr(folder, '/') = 0;
	return true;
}

bool beside_find(char path[PATH_MAX], const char *name)
{
	static const char *const where[] = { "", "/.." };
	char folder[PATH_MAX];

	if (!program_folder(folder))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		int n = snprintf(path, PATH_MAX, "%s%s/%s", folder, where[i],
				 name);

		if (n < PATH_MAX && !access(path, R_OK))
			return true;
	}
	return false;
}
