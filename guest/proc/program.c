/* SPDX-License-Identifier: MIT */
#include "guest/proc/program.h"

#include <stddef.h>

#include "guest/fs/ext2.h"
#include "guest/fs/path.h"
#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/user/tour/names.h"

#define DEMO(function, name, what) name,
static const char *const demonstrations[] = { DEMONSTRATIONS(DEMO) };
#define DEMOS (sizeof(demonstrations) / sizeof(demonstrations[0]))

const char *program_of(const char *name)
{
	for (size_t i = 0; i < DEMOS; i++)
		if (streq(demonstrations[i], name))
			return "tour";
	return name;
}

void program_list(void)
{
	struct sys_dirent entry;
	struct inode *bin;
	uint64_t at = 0;

	if (path_do(dir_find, image_fs, "/bin", &bin))
		return;
	while (dir_next(bin, &at, &entry) > 0)
		if (*entry.name != '.')
			print(" %s", entry.name);
	inode_put(bin);
	for (size_t i = 0; i < DEMOS; i++)
		print(" %s", demonstrations[i]);
	print("\n");
}
